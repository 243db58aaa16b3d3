import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Command } from 'commander';
import { exitCodes } from './exit-code.ts';
import { everyCommand, program } from './program.ts';
import type { Run } from './run.ts';
import type { Terminal } from './terminal.ts';
import { openDesk } from './terminal.fixture.ts';

const silent = { out: () => {}, err: () => {} } as unknown as Terminal;

function buildWith(run: Run): Command {
  return program(run, silent);
}

const root = buildWith(() => async () => {});
const leaves = everyCommand(root).filter(
  (command) => command.commands.length === 0 && command.name() !== 'help',
);

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) });
  command.outputHelp();
  return text;
}

test('the commands that scripts are promised exist', () => {
  const promised = [
    'init',
    'serve',
    ...['import', 'list', 'show', 'approve', 'suspend', 'resume', 'retire', 'erase'].map(
      (name) => `device ${name}`,
    ),
    ...['create', 'list', 'revoke'].map((name) => `secret ${name}`),
    ...['create', 'list', 'void'].map((name) => `eab ${name}`),
    ...['list', 'revoke'].map((name) => `account ${name}`),
    ...['list', 'show', 'approve', 'deny'].map((name) => `request ${name}`),
    ...['list', 'show', 'revoke'].map((name) => `certificate ${name}`),
    ...['create', 'list', 'rotate', 'pin', 'revoke'].map((name) => `machine ${name}`),
    ...['verify', 'prove', 'export', 'show', 'tail'].map((name) => `log ${name}`),
    'backup',
    'restore',
    'migrate',
    'status',
    'policy check',
    'trust export',
    'profile',
    'attest',
    'attestation fetch-status',
    'attestation recheck',
    'attestation keys',
    'roots import',
    'roots list',
  ];
  assert.deepEqual(leaves.map(pathOf).toSorted(), promised.map((name) => `sallyport ${name}`).toSorted());
});

suite('help that teaches', () => {
  for (const command of leaves) {
    const path = pathOf(command);
    const help = helpOf(command);

    test(`${path}: what, when, an example and the exit codes, within 100 columns`, () => {
      assert.ok(command.summary().length > 10);
      assert.ok(command.description().length > command.summary().length + 80, 'says when one uses it');
      assert.match(help, /Examples?:\n {2}sallyport /);
      assert.match(help, /Exit codes:\n {2}0 {2}done\n/);
      for (const option of command.options) assert.ok(option.description.length > 0, option.flags);
      for (const argument of command.registeredArguments) {
        assert.ok(argument.description.length > 0, argument.name());
      }
      for (const line of help.split('\n')) assert.ok(line.length <= 100, line);
    });

    const examples = (help.split(/Examples?:\n/)[1] ?? '').split('\n\n')[0]!.split(/(?<! \\)\n/);
    for (const example of examples) {
      test(`true example: ${example.trim()}`, async () => {
        let performed = false;
        const again = buildWith(() => async () => {
          performed = true;
        });
        await again.parseAsync(wordsOf(example), { from: 'user' });
        assert.ok(performed);
        assert.ok(example.trim().startsWith(path));
      });
    }
  }

  test('the first page names every exit code', () => {
    const help = helpOf(root);
    for (const code of Object.values(exitCodes)) assert.match(help, new RegExp(`^ {2}${code} {2}\\S`, 'm'));
  });
});

/** As a shell splits them, as far as our examples need it. */
function wordsOf(example: string): string[] {
  const own = example.replaceAll(' \\\n', ' ').split(' | ')[0]!.trim();
  return [...own.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!).slice(1);
}

suite('wrong commands', () => {
  for (const words of [
    ['devcie'],
    ['device'],
    ['secret', 'create'],
    ['machine', 'create', 'mdm', '--scope', 'secrets:create'],
    ['machine', 'create', 'mdm', '--scope', 'devices:erase', '--template', 'device'],
    ['machine', 'rotate', 'mdm', '--overlap', '1h', '--at-once'],
    ['device', 'list', '--state', 'odd'],
    ['eab', 'create', '--device', 'web-1'],
    ['eab', 'create', '--device', 'web-1', '--template', 'web', '--certificates', 'many'],
    ['eab', 'list', '--state', 'reserved'],
    ['init', '--port-base', 'x'],
    ['secret', 'create', '--device', 'a', '--template', 'b', '--expect-san', 'odd:x'],
  ]) {
    test(`sallyport ${words.join(' ')}: exit code 2, nothing on standard output`, async (t) => {
      const desk = await openDesk(t);
      const { code, out, err } = await desk.run(...words);
      assert.equal(code, exitCodes.usage);
      assert.equal(out, '');
      if (words.length > 1) assert.match(err, /^sallyport: [^\n]+; see sallyport [^\n]+ --help\n$/);
    });
  }

  test('--help and --version are no errors', async (t) => {
    const desk = await openDesk(t);
    assert.equal((await desk.run('secret', 'create', '--help')).code, 0);
    assert.match((await desk.run('--version')).out, /^\d+\.\d+\.\d+\n$/);
  });

  test('without a configuration: exit code 3 and what to do', async (t) => {
    const desk = await openDesk(t);
    const { code, err } = await desk.run('device', 'list');
    assert.equal(code, exitCodes.configuration);
    assert.match(err, /^sallyport: .*sallyport\.yaml.*init/);
  });
});
