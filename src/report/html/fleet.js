"use strict";
// The matrix, its filters and the explanations, drawn from the data in the page. Every text
// gets into the page by `textContent` or an attribute; nothing is ever read as markup.
(() => {
  const CHUNK = 100; // So many nodes of an open group are drawn at once.
  const AT_ONCE = 60; // So many rows get their cells before it is known what is seen.
  const VERBS = { create: "creates", delete: "deletes", evict: "evicts", bind: "binds", preempt: "preempts",
    adopt: "adopts", release: "releases", relabel: "relabels" };
  const by = (id) => document.getElementById(id);
  const make = (tag, props, ...children) => {
    const it = Object.assign(document.createElement(tag), props);
    it.append(...children);
    return it;
  };
  // The style takes from a table's parts what they are; so each is told.
  const part = (role, it) => (it.setAttribute("role", role), it);
  const svg = (tag, attributes) => {
    const it = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) it.setAttribute(name, value);
    return it;
  };

  let data, cases, changes, labels, shown, at = [0, 0], open = new Map(), picked = new Set(), selected = null;

  function read(text) {
    data = JSON.parse(text);
    cases = new Map(data.cases.map((it) => [it.slice(0, 3).join(), it]));
    changes = new Map();
    for (const [ds, verb, text, rule, nodes, pods] of data.changes) {
      nodes.forEach((node, nth) => {
        const key = node + "," + ds;
        changes.set(key, [...(changes.get(key) || []), [verb, pods[nth] || "a pod", text, rule]]);
      });
    }
    labels = data.nodes.map((node) => new Set(node[1].map((nth) => data.labels[nth])));
  }

  const place = (rows, node, ds) => data.rows[rows[node]].charCodeAt(ds) - 97; // -1 or less: not there
  const now = (node, ds) => place(data.now, node, ds);
  const after = (node, ds) => place(data.after, node, ds);
  const view = () => document.querySelector("input[name=view]:checked").value;
  const word = (nth) => data.words[nth] || ["not there", " ", "none"];
  const differs = (node, ds) => now(node, ds) !== after(node, ds) || changes.has(node + "," + ds);
  const looked = (node, ds) => (view() === "now" ? now(node, ds) : after(node, ds));

  // ---- what is shown ------------------------------------------------------------------

  function fits(node, words, zone) {
    if (zone && !labels[node].has(data.zone + "=" + zone)) return false;
    return words.every((it) => labels[node].has(it) || data.nodes[node][0].includes(it) ||
      (!it.includes("=") && [...labels[node]].some((label) => label.startsWith(it + "="))));
  }

  function choose() {
    const words = by("nodes").value.trim().split(/\s+/).filter(Boolean);
    const names = by("daemonsets").value.trim().split(/\s+/).filter(Boolean);
    const zone = by("zone").value;
    let columns = data.ds.map((_, ds) => ds).filter((ds) => names.every((it) => data.ds[ds].includes(it)));
    const is = (node, ds) => (!picked.size || picked.has(looked(node, ds))) && (view() !== "changes" || differs(node, ds));
    const all = picked.size > 0 || view() === "changes";
    const groups = [];
    data.groups.forEach(([first, count], group) => {
      const nodes = [];
      for (let node = first; node < first + count; node++) {
        if (fits(node, words, zone) && (!all || columns.some((ds) => is(node, ds)))) nodes.push(node);
      }
      if (nodes.length) groups.push({ group, nodes });
    });
    if (all) columns = columns.filter((ds) => groups.some((it) => it.nodes.some((node) => is(node, ds))));
    return { columns, groups, is: all ? is : () => true };
  }

  // ---- the matrix -----------------------------------------------------------------------

  function bar(counts, total, tall) {
    const it = svg("svg", { viewBox: tall ? "0 0 10 100" : "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
    it.append(svg("rect", tall ? { class: "track", width: 10, height: 100 } : { class: "track", width: 100, height: 10 }));
    let from = 0;
    for (const [kind, count] of counts) {
      const size = (100 * count) / total;
      it.append(svg("rect", tall ? { class: kind, width: 10, y: 100 - from - size, height: size } : { class: kind, height: 10, x: from, width: size }));
      from += size;
    }
    return it;
  }

  function tally(nodes, ds) {
    const counts = new Map();
    for (const node of nodes) {
      const nth = looked(node, ds);
      counts.set(nth, (counts.get(nth) || 0) + 1);
    }
    return [...counts].sort((a, b) => a[0] - b[0]);
  }

  function header() {
    const row = part("row", make("tr"));
    const head = (props, ...children) => part("columnheader", make("th", { scope: "col", tabIndex: -1, ...props }, ...children));
    const corner = head({ className: "corner", textContent: "Nodes" });
    const room = head({ className: "room", textContent: "Room" });
    room.title = "What is requested of cpu (above) and memory (below): by daemon pods, by others";
    row.append(corner, room);
    const all = shown.groups.flatMap((it) => it.nodes);
    for (const ds of shown.columns) {
      const wanted = tally(all, ds).filter(([nth]) => nth >= 0 && nth < data.words.length - 1).reverse();
      const said = wanted.map(([nth, count]) => `${word(nth)[0]} ${count}`).join(", ") || "not wanted anywhere";
      const it = head({ title: `${data.ds[ds]}: ${said}` },
        make("span", { textContent: data.ds[ds].split("/").pop() }),
        bar(wanted.map(([nth, count]) => [word(nth)[2], count]), all.length || 1, true),
        make("i", { className: "hidden", textContent: `of ${data.ds[ds].split("/")[0]}: ${said}` }));
      row.append(it);
    }
    return part("rowgroup", make("thead", {}, row));
  }

  const amount = (value, memory) => memory
    ? (value >= 10240 ? Math.round(value / 1024) + "Gi" : value + "Mi")
    : (value >= 10000 ? Math.round(value / 1000) : value / 1000) + " cpu";

  // What is requested of some nodes together: [has, by daemon pods, by others] of cpu and memory.
  function room(nodes) {
    const sums = [[0, 0, 0], [0, 0, 0]];
    for (const node of nodes) {
      const caps = data.caps[(view() === "now" ? data.room : data.later)[node]];
      if (caps) for (let nth = 0; nth < 6; nth++) sums[nth < 3 ? 0 : 1][nth % 3] += caps[nth];
    }
    return sums;
  }

  function roomCell(nodes) {
    const cell = part("gridcell", make("td", { className: "room", tabIndex: -1 }));
    const sums = room(nodes);
    if (!sums[0][0] && !sums[1][0]) {
      cell.setAttribute("aria-label", "room: not known");
      return cell;
    }
    const it = svg("svg", { viewBox: "0 0 100 15", preserveAspectRatio: "none", "aria-hidden": "true" });
    const said = sums.map(([has, daemons, others], nth) => {
      const y = nth * 8;
      const part = (amount) => Math.min(100, (100 * amount) / (has || 1));
      it.append(svg("rect", { class: "track", y, width: 100, height: 6 }),
        svg("rect", { class: "daemons", y, width: part(daemons), height: 6 }),
        svg("rect", { class: "others", y, x: part(daemons), width: Math.min(part(others), 100 - part(daemons)), height: 6 }));
      return `${nth ? "memory" : "cpu"}: daemon pods ${amount(daemons, nth)}, others ${amount(others, nth)}, of ${amount(has, nth)}`;
    });
    cell.setAttribute("aria-label", said.join("; "));
    cell.title = said.join("\n");
    cell.append(it);
    return cell;
  }

  function cell(nodes, ds) {
    const counts = tally(nodes, ds);
    const [nth, count] = counts[0];
    const [name, sign, kind] = word(nth);
    const mixed = counts.length > 1;
    const it = part("gridcell", make("td", { className: `cell ${kind}`, tabIndex: -1, textContent: mixed && count < 1000 ? sign + count : sign }));
    let said = mixed ? counts.map(([nth, count]) => `${word(nth)[0]} on ${count}`).join(", ") : name;
    if (mixed) it.classList.add("mixed");
    if (view() !== "now" && nodes.some((node) => differs(node, ds))) {
      it.classList.add("differs");
      said += `, was ${[...new Set(nodes.map((node) => word(now(node, ds))[0]))].join(" or ")}`;
    } else if (view() === "changes" || !nodes.some((node) => shown.is(node, ds))) it.classList.add("same");
    it.setAttribute("aria-label", said);
    it.title = `${data.ds[ds]}: ${said}`;
    it.dataset.ds = ds;
    it.dataset.node = nodes.find((node) => looked(node, ds) === nth);
    return it;
  }

  // A name for many nodes: what their names have in common, or where they begin and end.
  function title(nodes) {
    const names = [nodes[0], nodes[nodes.length - 1]].map((node) => data.nodes[node][0]);
    let same = 0;
    while (same < names[0].length && nodes.every((node) => data.nodes[node][0][same] === names[0][same])) same++;
    const common = names[0].slice(0, same).replace(/[^-.]*$/, "") || names[0].slice(0, same);
    return common.length > 1 ? common + "…" : `${names[0]} … ${names[1]}`;
  }

  function line(nodes, group, of) {
    const row = part("row", make("tr"));
    const head = part("rowheader", make("th", { scope: "row", tabIndex: -1 }));
    if (of || group === null) {
      head.textContent = data.nodes[nodes[0]][0];
      head.title = [...labels[nodes[0]], ...data.nodes[nodes[0]][2].map((taint) => "taint " + taint)].join("\n");
      if (of) head.className = "of";
    } else {
      head.append(title(nodes), " ", make("small", { textContent: `×${nodes.length}` }, make("i", { className: "hidden", textContent: " nodes" })));
      head.setAttribute("aria-expanded", open.has(key(group)));
      head.dataset.group = group;
      head.title = "Nodes that no rule tells apart";
    }
    row.append(head);
    cells.set(row, () => [roomCell(nodes), ...shown.columns.map((ds) => cell(nodes, ds))]);
    return row;
  }

  // A row has its cells while it is near to what is seen: of a thousand rows with fifty cells each
  // a browser lays out what somebody looks at.
  const cells = new WeakMap();
  const near = new IntersectionObserver(
    (rows) => rows.forEach((it) => (it.isIntersecting ? fill(it.target) : empty(it.target))),
    { root: document.querySelector(".grid"), rootMargin: "900px 0px" });

  function fill(row) {
    if (row.cells.length > 1 || !cells.has(row)) return;
    row.append(...cells.get(row)());
    if (selected) mark();
  }

  function empty(row) {
    if (!cells.has(row) || row.querySelector("[tabindex='0'], :focus")) return;
    while (row.cells.length > 1) row.lastChild.remove();
  }

  // Those that are seen at once have them at once.
  function watch(under) {
    under.querySelectorAll("tbody tr").forEach((row, nth) => {
      if (nth < AT_ONCE) fill(row);
      near.observe(row);
    });
  }

  const key = (group) => data.nodes[data.groups[group][0]][0];

  function body({ group, nodes }) {
    const it = part("rowgroup", make("tbody"));
    it.dataset.of = group;
    if (nodes.length === 1) {
      it.append(line(nodes, null));
      return it;
    }
    it.append(line(nodes, group));
    const most = open.get(key(group)) || 0;
    it.append(...nodes.slice(0, most).map((node) => line([node], group, true)));
    if (most && most < nodes.length) it.append(more(nodes.length - most, group));
    return it;
  }

  function more(left, group) {
    const button = make("button", { type: "button", textContent: `Show ${Math.min(CHUNK, left)} more of ${left}` });
    button.dataset.more = group;
    const cell = part("gridcell", make("td", { colSpan: shown.columns.length + 2 }, button));
    return part("row", make("tr", { className: "more" }, cell));
  }

  let limit = 300;
  function draw() {
    shown = choose();
    const table = by("matrix");
    const bodies = shown.groups.slice(0, limit).map(body);
    if (shown.groups.length > limit) bodies.push(part("rowgroup", make("tbody", {}, more(shown.groups.length - limit, "all"))));
    const longest = Math.max(8, ...shown.groups.map((it) => Math.max(...it.nodes.map((node) => data.nodes[node][0].length))));
    table.style.setProperty("--names", longest);
    near.disconnect();
    table.replaceChildren(table.caption, header(), ...bodies);
    watch(table);
    table.setAttribute("aria-rowcount", shown.groups.length + 1);
    const nodes = shown.groups.reduce((sum, it) => sum + it.nodes.length, 0);
    by("said").textContent = `${nodes} of ${data.nodes.length} nodes, ${shown.columns.length} of ${data.ds.length} daemonsets`;
    rove(false);
    mark();
  }

  function redraw(group) {
    const it = shown.groups.find((it) => it.group === group);
    const drawn = make("table", {}, body(it));
    watch(drawn);
    document.querySelector(`tbody[data-of="${group}"]`).replaceWith(drawn.tBodies[0]);
    rove(false);
    mark();
  }

  function toggle(group) {
    if (!open.delete(key(group))) open.set(key(group), CHUNK);
    redraw(group);
  }

  // ---- the keyboard -----------------------------------------------------------------------

  const rows = () => by("matrix").rows;
  function rove(focus) {
    const old = by("matrix").querySelector("[tabindex='0']");
    if (old) old.tabIndex = -1;
    at[0] = Math.max(0, Math.min(at[0], rows().length - 1));
    const row = rows()[at[0]];
    fill(row);
    at[1] = Math.max(0, Math.min(at[1], row.cells.length - 1));
    const cell = row.cells[at[1]];
    const it = cell.querySelector("button") || cell;
    it.tabIndex = 0;
    if (focus) it.focus();
  }

  function place_of(cell) {
    at = [[...rows()].indexOf(cell.parentNode), cell.cellIndex];
  }

  function move(event) {
    const page = 15;
    const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
      PageUp: [-page, 0], PageDown: [page, 0], Home: [event.ctrlKey ? -1e9 : 0, -1e9], End: [event.ctrlKey ? 1e9 : 0, 1e9] };
    const step = moves[event.key];
    if (step && !event.altKey && !event.metaKey) {
      event.preventDefault();
      at = [at[0] + step[0], at[1] + step[1]];
      rove(true);
    } else if ((event.key === "Enter" || event.key === " ") && !event.target.matches("button")) {
      event.preventDefault();
      act(event.target, true);
    }
  }

  function act(target, focus) {
    const more = target.closest("button[data-more]");
    if (more) {
      if (more.dataset.more === "all") limit += 300;
      else open.set(key(+more.dataset.more), (open.get(key(+more.dataset.more)) || 0) + CHUNK);
      if (more.dataset.more === "all") draw();
      else redraw(+more.dataset.more);
      rove(true);
      return;
    }
    const it = target.closest("td, th");
    if (!it) return;
    place_of(it);
    rove(true);
    if (it.dataset.group !== undefined) {
      toggle(+it.dataset.group);
      rove(true);
    } else if (it.dataset.ds !== undefined) {
      selected = [+it.dataset.node, +it.dataset.ds];
      why(focus);
    }
  }

  // ---- why ----------------------------------------------------------------------------------

  // Texts are shared: the names of the node, the daemonset and the pod stand in them as marks.
  function filled(nth, names) {
    return data.texts[nth].replace(/[\u0001-\u0004]/g, (mark) => names[mark.charCodeAt(0) - 1]);
  }

  const MARKS = { yes: "✓", no: "✗", fact: "•", missing: "–" };
  function steps(list, names) {
    return make("ul", {}, ...list.map(([mark, text, rule, from, parts]) => {
      const it = make("li", {}, make("span", { className: "mark", textContent: MARKS[mark], ariaHidden: "true" }),
        make("span", { className: "hidden", textContent: mark === "no" || mark === "missing" ? "no: " : "" }), filled(text, names));
      if (from >= 0) it.append(" ", make("small", { className: "soft", textContent: filled(from, names) }));
      if (rule >= 0) it.append(ruled(rule));
      if (parts) it.append(steps(parts, names));
      return it;
    }));
  }

  function ruled(nth) {
    const [place, text] = data.rules[nth];
    if (!text) return make("small", { className: "soft", textContent: " " + place });
    return make("details", {}, make("summary", { textContent: "by the rule " + place }), make("pre", { textContent: text }));
  }

  function standing(label, nth) {
    const [name, sign, kind] = word(nth);
    return make("p", {}, label + " ", make("span", { className: "sign " + kind, textContent: sign, ariaHidden: "true" }), " " + name);
  }

  function why(focus) {
    const [node, ds] = selected;
    const group = data.groups.findIndex(([first, count]) => node >= first && node < first + count);
    const names = [data.nodes[node][0], data.ds[ds], "", data.ds[ds].split("/").pop()];
    const parts = [make("h2", { id: "what", tabIndex: -1, textContent: `${names[1]} on ${names[0]}` }),
      standing("Now:", now(node, ds))];
    if (after(node, ds) !== now(node, ds)) parts.push(standing("After the plan:", after(node, ds)));
    const done = changes.get(node + "," + ds) || [];
    if (done.length) {
      const told = ([verb, pod, text, rule]) => make("li", {}, `${VERBS[verb] || verb} ${pod}: ${filled(text, [names[0], names[1], pod, names[3]])}`, ruled(rule));
      parts.push(make("h3", { textContent: "The plan" }), make("ul", {}, ...done.map(told)));
    }
    const found = cases.get([group, ds, now(node, ds)].join());
    if (found) {
      const [, , , of, tree, pod] = found;
      const [headline, reasons, mends] = data.trees[tree];
      const own = [data.nodes[of][0], names[1], pod, names[3]];
      parts.push(make("h3", { textContent: "Why" }));
      if (of !== node) parts.push(make("p", { className: "soft", textContent: `As on ${own[0]}: no rule tells ${names[0]} apart from it, and it stands alike there.` }));
      parts.push(make("p", { textContent: filled(headline, own) + "." }), steps(reasons, own));
      if (mends.length) {
        const told = ([says, mend]) => make("li", {}, filled(says, own), mend >= 0 ? make("div", { className: "soft", textContent: "→ " + filled(mend, own) }) : "");
        parts.push(make("h3", { textContent: "What would mend it" }), make("ul", {}, ...mends.map(told)));
      }
    }
    const [space, name] = names[1].split("/");
    parts.push(make("h3", { textContent: "Ask on" }), make("pre", { textContent: `dsrules explain ${name} ${names[0]} -n ${space}` }));
    const close = make("button", { type: "button", className: "close", textContent: "✕" });
    close.setAttribute("aria-label", "Close");
    close.onclick = shut;
    by("why").replaceChildren(...parts, close);
    by("why").hidden = false;
    document.querySelector(".work").classList.add("open");
    mark();
    if (focus) by("what").focus();
  }

  function mark() {
    by("matrix").querySelectorAll("[aria-selected]").forEach((it) => it.removeAttribute("aria-selected"));
    if (!selected) return;
    const [node, ds] = selected;
    by("matrix").querySelectorAll(`td[data-node="${node}"][data-ds="${ds}"]`).forEach((it) => it.setAttribute("aria-selected", "true"));
  }

  function shut() {
    by("why").hidden = true;
    document.querySelector(".work").classList.remove("open");
    selected = null;
    mark();
    rove(true);
  }

  // ---- what can be done --------------------------------------------------------------------

  function chips() {
    document.querySelectorAll(".chips button").forEach((it) => {
      const nth = +it.dataset.word;
      it.setAttribute("aria-pressed", picked.has(nth));
      it.onclick = () => {
        if (!picked.delete(nth)) picked.add(nth);
        it.setAttribute("aria-pressed", picked.has(nth));
        draw();
      };
    });
  }

  let later;
  const soon = () => {
    clearTimeout(later);
    later = setTimeout(draw, 120);
  };
  by("nodes").oninput = soon;
  by("daemonsets").oninput = soon;
  by("zone").onchange = draw;
  document.querySelectorAll("input[name=view]").forEach((it) => (it.onchange = draw));
  by("unfold").onclick = () => {
    const all = shown.groups.filter((it) => it.nodes.length > 1);
    const closed = all.some((it) => !open.has(key(it.group)));
    open = new Map(closed ? all.map((it) => [key(it.group), CHUNK]) : []);
    by("unfold").textContent = closed ? "Close all groups" : "Open all groups";
    draw();
  };
  by("matrix").onclick = (event) => act(event.target, false);
  by("matrix").onkeydown = move;
  // On paper all is seen.
  window.onbeforeprint = () => [...rows()].forEach(fill);
  document.onkeydown = (event) => {
    if (event.key === "Escape" && !by("why").hidden) shut();
  };

  // ---- live ---------------------------------------------------------------------------------

  async function renew() {
    const answer = await fetch("/", { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["head", "sums", "data"]) by(id).replaceWith(document.importNode(page.getElementById(id), true));
    const focused = by("matrix").contains(document.activeElement);
    const was = selected && [data.nodes[selected[0]][0], data.ds[selected[1]]];
    read(by("data").textContent);
    chips();
    draw();
    if (focused) rove(true);
    if (!was) return;
    selected = [data.nodes.findIndex((it) => it[0] === was[0]), data.ds.indexOf(was[1])];
    if (selected[0] < 0 || selected[1] < 0) shut();
    else why(false);
  }

  function follow() {
    let busy = Promise.resolve();
    const events = new EventSource("/fleet/events?since=" + data.live);
    const tell = (text) => (by("live").textContent = text);
    events.onopen = () => tell("live");
    events.onerror = () => tell("not connected; what is shown is of before");
    events.addEventListener("changed", () => (busy = busy.then(renew).catch(() => {})));
  }

  read(by("data").textContent);
  chips();
  draw();
  if (data.live !== null) follow();
})();
