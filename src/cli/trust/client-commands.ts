import type { EnrollmentServer } from './enrollment-server.ts';
import type { PinnedChain } from './pinned-chain.ts';
import { continued, quoted } from './shell.ts';

/** One kind of client, and the lines that make it trust the chain. */
export interface ClientCommands {
  readonly title: string;
  readonly lines: readonly string[];
  /** What must be known besides. */
  readonly remark: string | null;
}

/** The files that the lines speak of; `below` is as long as the chain's. */
export interface TrustFileNames {
  readonly root: string;
  readonly below: readonly string[];
  readonly profile: string;
}

/** Several issuers do not overwrite one another's. */
export function trustFileNames({ issuer, below }: PinnedChain, severalIssuers: boolean): TrustFileNames {
  const prefix = severalIssuers ? `${issuer}-` : '';
  return {
    root: `${prefix}root.pem`,
    below: below.map((_, at) => (at === 0 ? `${prefix}issuing.pem` : `${prefix}issuing-${at + 1}.pem`)),
    profile: `${prefix}trust.mobileconfig`,
  };
}

/** On the authority's machine: the files that clients get. */
export function fileCommands(
  chain: PinnedChain,
  names: TrustFileNames,
  configurationFile: string,
): readonly string[] {
  const common = `sallyport trust export --config ${quoted(configurationFile)} --issuer ${chain.issuer}`;
  return [
    continued(common, '--format root', `--out ${names.root}`),
    ...chain.below.map(({ file }, at) =>
      continued(`openssl x509 -in ${quoted(file)}`, `-out ${names.below[at]!}`),
    ),
    continued(common, '--format mobileconfig', `--out ${names.profile}`),
  ];
}

export function clientCommands(
  server: EnrollmentServer | null,
  names: TrustFileNames,
): readonly ClientCommands[] {
  const est = server?.est ?? null;
  const everywhere = [windows(names), apple(names)];
  if (server === null || est === null) return everywhere;
  return [
    curl(server, names, est),
    strongSwan(server, names, est),
    libest(server, names, est),
    ...everywhere,
  ];
}

type Est = NonNullable<EnrollmentServer['est']>;

/** What stands for a port that the system chooses. */
const unknownPort = 'PORT';

function baseOf({ host, port }: EnrollmentServer): string {
  return `https://${host}:${port ?? unknownPort}`;
}

function curl(
  server: EnrollmentServer,
  { root }: TrustFileNames,
  { template, labelled }: Est,
): ClientCommands {
  const est = `${baseOf(server)}/.well-known/est${labelled ? `/${template}` : ''}`;
  const read = '| openssl base64 -d | openssl pkcs7 -inform DER -print_certs';
  return {
    title: 'curl and openssl',
    lines: [
      continued(`curl --cacert ${root} --capath /dev/null`, `${est}/cacerts`, read),
      continued(
        'openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout device.key',
        '-subj /CN=DEVICE -outform DER | openssl base64 > request.b64',
      ),
      continued(
        `curl --cacert ${root} --capath /dev/null --user DEVICE:SECRET`,
        "-H 'Content-Type: application/pkcs10' --data-binary @request.b64",
        `${est}/simpleenroll`,
        read,
        '-out device.pem',
      ),
    ],
    // curl 7.88 of Debian 12: `curl -v --cacert FILE` shows "CApath: /etc/ssl/certs".
    remark: 'Without --capath, curl on Debian and others goes on trusting the CAs of the web as well.',
  };
}

const strongSwanConfiguration = 'strongswan.conf';

function strongSwan(
  server: EnrollmentServer,
  { root, below }: TrustFileNames,
  { labelled }: Est,
): ClientCommands {
  const title = 'strongSwan';
  if (labelled) {
    const remark = `pki --est names no template, and listener ${server.name} has no defaultTemplate: give it one.`;
    return { title, lines: [], remark };
  }
  // strongSwan 5.9 offers TLS 1.2 at most unless it is told.
  const pki = server.onlyTls13 ? `STRONGSWAN_CONF=${strongSwanConfiguration} pki` : 'pki';
  const url = `--url ${baseOf(server)}`;
  // With the root alone it prints "Issued certificate is not trusted": it does not keep what cacerts answered.
  const trusted = [root, ...below].map((file) => `--cacert ${file}`).join(' ');
  return {
    title,
    lines: [
      ...(server.onlyTls13 ? [`echo 'libtls { version_max = 1.3 }' > ${strongSwanConfiguration}`] : []),
      continued(`${pki} --estca ${url}`, `--cacert ${root} --caout ca.der --force`),
      'pki --gen --type ecdsa --size 256 --outform der > device.key',
      'pki --req --in device.key --type ecdsa --dn CN=DEVICE --outform der > device.csr',
      continued(`${pki} --est ${url}`, trusted, '--in device.csr --userpass DEVICE:SECRET > device.crt'),
    ],
    remark: server.onlyTls13
      ? `The listener takes TLS 1.3 only, and strongSwan 5.9 speaks it only when told.`
      : null,
  };
}

function libest(
  server: EnrollmentServer,
  { root }: TrustFileNames,
  { template, labelled }: Est,
): ClientCommands {
  const title = 'libEST';
  if (server.onlyTls13) {
    const remark = `libEST speaks TLS 1.2 at most, and listener ${server.name} takes TLS 1.3 only: name another listener, with --listener.`;
    return { title, lines: [], remark };
  }
  // libEST takes the host as it stands in no URL.
  const host = server.host.replaceAll(/[[\]]/g, '');
  const segment = labelled ? ` --path-seg ${template}` : '';
  const client = `EST_OPENSSL_CACERT=${root} estclient`;
  const where = `-s ${host} -p ${server.port ?? unknownPort}${segment} -o .`;
  return {
    title,
    lines: [
      continued(`${client} -g`, where),
      continued(`${client} -e`, where, '--common-name DEVICE -u DEVICE -h SECRET --pem-output'),
    ],
    remark: labelled ? 'Only a libEST that was built with liburiparser knows --path-seg.' : null,
  };
}

function windows({ root, below }: TrustFileNames): ClientCommands {
  return {
    title: 'Windows, as administrator',
    lines: [`certutil -addstore Root ${root}`, ...below.map((file) => `certutil -addstore CA ${file}`)],
    remark: null,
  };
}

function apple({ profile }: TrustFileNames): ClientCommands {
  return {
    title: 'Apple',
    lines: [`open ${profile}`],
    remark:
      'Or send it to devices with the MDM. On an iPhone or iPad where it is installed by hand, switch the root on under Settings, General, About, ' +
      'Certificate Trust Settings.',
  };
}
