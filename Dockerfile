# One static file, and nothing beside it: no shell, no library, no root. docs/install.md says how to use it.
#
#   podman build -t dsrules .            or docker build
#   podman run --rm -v .:/work:Z dsrules plan fleet
#
# Alpine's toolchain links with musl, statically; SQLite, ring and mimalloc need its C compiler.
FROM docker.io/library/rust:1-alpine AS build
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
ARG PROFILE=release
RUN cargo build --locked --profile "$PROFILE" \
    && mkdir /out /out/work \
    && cp "target/$([ "$PROFILE" = dev ] && echo debug || echo "$PROFILE")/dsrules" /out/dsrules

FROM scratch
# Certificates to speak with clusters and etcd, as most of them have their own authority: mount it.
COPY --from=build /out/dsrules /usr/bin/dsrules
# Where the store and manifests are looked for; whoever runs it may write there.
COPY --from=build --chown=65532:65532 /out/work /work
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/usr/bin/dsrules"]
CMD ["--help"]
