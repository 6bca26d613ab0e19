//! `dsrules lsp`: the language server over the standard input and output.

use std::io::{self, BufRead, ErrorKind, Read as _, Write};
use std::sync::mpsc::{self, Receiver, TryRecvError};

use clap::Args;
use dsrules::diagnostic::Diagnostic;
use dsrules::lsp::Server;
use lsp_server::{Message, Notification};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::exit::{Exit, Failure};

/// A message is no larger; what is, is passed over.
const MOST: u64 = 64 << 20;

/// Arguments of `lsp`.
#[derive(Debug, Args)]
pub struct LspArgs {
    /// As editors like to say it; there is no other way
    #[arg(long, hide = true)]
    stdio: bool,
}

/// What came in: a message, or what is said of something that is none.
type Read = Result<Message, Message>;

/// Answers until the client ends, or is gone.
pub fn run(_args: &LspArgs, context: &mut Context) -> Result<Exit, Failure> {
    let messages = messages();
    let mut server = Server::new();
    loop {
        // Who types fast is told of mistakes when no more comes in.
        let next = match messages.try_recv() {
            Err(TryRecvError::Empty) => {
                write(server.settle(), context)?;
                messages.recv().ok()
            }
            next => next.ok(),
        };
        let Some(next) = next else { return Ok(Exit::Done) };
        write(next.map_or_else(|wrong| vec![wrong], |message| server.handle(message)), context)?;
        match server.ended() {
            Some(true) => return Ok(Exit::Done),
            Some(false) => {
                let error = Diagnostic::error("no-shutdown", "the editor is gone without `shutdown`");
                return Err(error.into());
            }
            None => {}
        }
    }
}

/// All that comes in, read beside the work.
fn messages() -> Receiver<Read> {
    let (sender, messages) = mpsc::channel();
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        // Both ends know when the other is gone.
        while let Ok(Some(read)) = read(&mut input) {
            if sender.send(read).is_err() {
                return;
            }
        }
    });
    messages
}

/// The next one; nothing at the end.
fn read(input: &mut impl BufRead) -> io::Result<Option<Read>> {
    let mut length = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(MOST).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&line);
        match (text.trim_end(), length) {
            ("", Some(_)) => break,
            // Whatever is no header is passed over.
            (header, _) => {
                let value =
                    header.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
                length = value.and_then(|(_, value)| value.trim().parse::<u64>().ok()).or(length);
            }
        }
    }
    let length = length.unwrap_or(0);
    let mut body = Vec::new();
    if length > MOST {
        io::copy(&mut input.by_ref().take(length), &mut io::sink())?;
        return Ok(Some(Err(refused("the message is too large"))));
    }
    if input.by_ref().take(length).read_to_end(&mut body)? < usize::try_from(length).unwrap_or(usize::MAX) {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(serde_json::from_slice(&body).map_err(|error| refused(&error.to_string()))))
}

/// What is said of what is no message: nobody knows whom to answer.
fn refused(why: &str) -> Message {
    let params = json!({ "type": 1, "message": format!("what was received is no message: {why}") });
    Notification::new("window/logMessage".to_owned(), params).into()
}

fn write(messages: Vec<Message>, context: &mut Context) -> Result<(), Failure> {
    for message in messages {
        message.write(&mut context.out)?;
    }
    context.out.flush()?;
    Ok(())
}
