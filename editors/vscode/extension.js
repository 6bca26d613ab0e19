// Starts `dsrules lsp` for rule files, and again when the setting `dsrules.path` changes.

const vscode = require('vscode');
const { LanguageClient, TransportKind } = require('vscode-languageclient/node');

/** @type {LanguageClient | undefined} */
let client;

async function start() {
  const command = vscode.workspace.getConfiguration('dsrules').get('path') || 'dsrules';
  const server = { command, args: ['lsp'], transport: TransportKind.stdio };
  client = new LanguageClient('dsrules', 'dsrules', server, {
    documentSelector: [{ language: 'dsrules' }],
    synchronize: {
      // What else a program is made of, edited elsewhere.
      fileEvents: vscode.workspace.createFileSystemWatcher('**/{*.dl,*.csv,dsrules.yaml}'),
    },
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    vscode.window.showErrorMessage(
      `dsrules: \`${command} lsp\` does not start (${error}). Install dsrules, or set "dsrules.path".`,
    );
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration('dsrules.path')) {
        await stop();
        await start();
      }
    }),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
