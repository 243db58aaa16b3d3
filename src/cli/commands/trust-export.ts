import { Command, Option } from 'commander';
import type { Configuration } from '#config';
import { SallyportError } from '#errors';
import { noPaint } from '../render/paint.ts';
import type { Run } from '../run.ts';
import type { Session } from '../session.ts';
import { teach } from '../teach.ts';
import type { ChainFormat } from '../trust/encode-chain.ts';
import type { EnrollmentServer } from '../trust/enrollment-server.ts';
import type { PinnedChain } from '../trust/pinned-chain.ts';

interface ExportOptions {
  readonly issuer?: string;
  readonly listener?: string;
  readonly format: 'commands' | ChainFormat;
  readonly out?: string;
}

const formats = [
  'commands',
  'pem',
  'root',
  'p7b',
  'der',
  'mobileconfig',
] as const satisfies readonly ExportOptions['format'][];

export function trustExport(run: Run): Command {
  return teach(new Command('export'), {
    summary: 'Write what EST clients pin: the chain of an issuer',
    when:
      'Before devices enroll: an EST client is to trust this authority and not the CAs of the web (RFC 7030 section 3.3.2). It reads the configuration and ' +
      'the CA certificates that it names; the authority need not run. Without --format it shows the fingerprints, and for each client the lines to type.\n' +
      'pem: the issuing CA, then those above it, the root last. root: the root alone, what a client pins. p7b: all, as PKCS#7. der: the root. ' +
      'mobileconfig: a profile for Apple devices; a later export updates the one that is installed. With --json: the certificates, the URL of ' +
      'the listener, and whether its certificate is issued under them (under) or by others (foreign).',
    examples: [
      'sallyport trust export',
      'sallyport trust export --format root --out root.pem',
      'sallyport trust export --format mobileconfig --out trust.mobileconfig',
    ],
    exits: [3],
  })
    .option('--issuer <name>', 'whose chain (default: the first issuer)')
    .option('--listener <name>', 'where clients enroll (default: the first enroll listener)')
    .addOption(new Option('--format <format>', 'what to write').choices(formats).default('commands'))
    .option('--out <file>', 'write it to this new file; one that holds something else is left alone')
    .action(run(exportTrust));
}

async function exportTrust(session: Session, options: ExportOptions): Promise<void> {
  const { chooseIssuer, chooseListener } = await import('../trust/choose.ts');
  const { readPinnedChain } = await import('../trust/pinned-chain.ts');
  const { encodeChain } = await import('../trust/encode-chain.ts');
  const { format } = options;
  const configuration = await session.configuration();
  const chain = await readPinnedChain(chooseIssuer(configuration, options.issuer));
  const listener = chooseListener(configuration, options.listener);
  const readServer = async () => {
    const { readEnrollmentServer } = await import('../trust/enrollment-server.ts');
    return listener === null ? null : readEnrollmentServer(listener, chain, configuration.issuers);
  };
  const content =
    format === 'commands'
      ? await commandWords(session, options, configuration, chain, await readServer())
      : encodeChain(format, chain, configuration.authority.name);

  if (options.out !== undefined) {
    const { saveOnce } = await import('../trust/save-once.ts');
    await saveOnce(session.path(options.out), Buffer.from(content));
  }
  if (session.json) session.print(await jsonOf(chain, await readServer()), () => '');
  else if (options.out !== undefined) {
    const { fingerprintOf } = await import('../trust/fingerprint.ts');
    session.terminal.out(
      `Wrote ${options.out}. The root's SHA-256:\n${fingerprintOf(chain.root.certificate)}\n`,
    );
  } else print(session, content);
}

function print({ terminal }: Session, content: string | Uint8Array): void {
  if (typeof content === 'string') terminal.out(content);
  else if (terminal.outIsTerminal) {
    throw new SallyportError('usage', 'this format is not text; name a file with --out, or redirect it');
  } else terminal.outBytes(content);
}

async function commandWords(
  session: Session,
  { issuer, listener, out }: ExportOptions,
  { issuers, listeners, file }: Configuration,
  chain: PinnedChain,
  server: EnrollmentServer | null,
): Promise<string> {
  const { trustWords } = await import('../trust/trust-words.ts');
  const trust = {
    configurationFile: file,
    chain,
    server,
    issuers: issuers.length,
    issuerNamed: issuer !== undefined,
    listeners: listeners.filter((one) => one.class === 'enroll' && one.tls !== null).length,
    listenerNamed: listener !== undefined,
  };
  return trustWords(trust, { paint: out === undefined ? session.paint : noPaint, now: session.now });
}

async function jsonOf({ issuer, path }: PinnedChain, server: EnrollmentServer | null): Promise<unknown> {
  const { formatName } = await import('#x509');
  const { sha256Of } = await import('../trust/fingerprint.ts');
  const { pemOf } = await import('../trust/encode-chain.ts');
  return {
    issuer,
    certificates: path.map(({ certificate }) => ({
      subject: formatName(certificate.subject),
      sha256: sha256Of(certificate),
      notAfter: new Date(certificate.notAfter).toISOString(),
      pem: pemOf(certificate),
    })),
    listener: server?.name ?? null,
    url: server?.url ?? null,
    listenerCertificate: server?.certificate?.issued ?? null,
    rootSuffices: server?.certificate?.rootSuffices ?? null,
  };
}
