import { join } from 'node:path';
import { SallyportError } from '#errors';

export interface InitialSettings {
  /** Name of the authority, for people. */
  readonly name: string;
  /** EST listens here, the public listener on the next port, SCEP on the one after it. Default 8443. */
  readonly portBase?: number;
  /** Folder the file is written to; only its comment names it, paths stay relative. */
  readonly directory?: string;
  /** Name of the log; never changes afterwards. Default: made of the authority's name. */
  readonly logOrigin?: string;
}

/**
 * The text of a first sallyport.yaml: everything on loopback, all paths below its own folder. The comments are for the
 * operator who opens it for the first time.
 */
export function initialConfiguration(initial: InitialSettings): string {
  const { name, portBase = 8443, directory = '.', logOrigin = originOf(name) } = initial;
  if (!Number.isInteger(portBase) || portBase < 1 || portBase > 65_533) {
    throw new SallyportError(
      'usage',
      'the port base is a whole number from 1 to 65533: it and the next two ports are used',
    );
  }
  return `\
# Sallyport. Every key is explained in docs/configuration.md.
# Start: sallyport serve --config ${commentText(join(directory, 'sallyport.yaml'))}
# Paths count from the folder of this file. Secrets never stand here: { file: PATH } or { env: NAME }.
# After a change: systemctl reload, or kill -HUP. A file with a mistake leaves the running one in force.

authority:
  name: ${yamlText(name)}
  data: data

# The root's key is not named here: keep it offline.
issuers:
  issuing:
    certificate: pki/issuing.pem
    chain: [pki/root.pem]
    key:
      file: keys/issuing.key.pem
      passphrase: { file: secrets/passphrase }
    # Opens the requests of SCEP and signs its answers; it certifies nobody. Its certificate is issued and renewed by itself.
    ra:
      key:
        file: keys/ra.key.pem
        passphrase: { file: secrets/passphrase }
    crl: { lifetime: 7d, refresh: 1d }
    # Stands in every certificate, for as long as it lives: choose a name that devices can reach before you issue.
    publicUrl: http://127.0.0.1:${portBase + 1}

listeners:
  # Where devices enroll. For a network: its address, and in sources the ranges that devices come from.
  enroll:
    class: enroll
    address: 127.0.0.1
    port: ${portBase}
    tls:
      certificate: pki/listener.pem
      key:
        file: keys/listener.key.pem
        passphrase: { file: secrets/passphrase }
      # strongSwan's pki and other clients that only speak 1.2 need TLSv1.2 here.
      minimum: TLSv1.3
    sources: [127.0.0.0/8, "::1/128"]
    protocols:
      est:
        templates: [device, server, iot]
        defaultTemplate: device
      # An account needs a key: sallyport eab create.
      acme:
        templates: [web]
        defaultTemplate: web
  # Revocation lists and CA certificates, plain HTTP.
  public:
    class: public
    address: 127.0.0.1
    port: ${portBase + 1}
  # The operator commands.
  admin:
    class: admin
    socket: run/admin.sock
  # SCEP, plain HTTP as most of its clients want it: its messages are signed and encrypted by themselves. Where nobody speaks it, remove this.
  scep:
    class: enroll-http
    address: 127.0.0.1
    port: ${portBase + 2}
    sources: [127.0.0.0/8, "::1/128"]
    protocols:
      scep:
        templates: [server, device]
        defaultTemplate: device

# Names are built from the inventory: {device.id}, {device.serialNumber}, or any further column such as dns_name as
# {device.dnsName}. What a request asks for beyond that is refused.
templates:
  # Client certificates for people's machines.
  device:
    issuer: issuing
    subject:
      - commonName: "{device.id}"
    subjectAltName:
      - dns: "{device.dnsName}"
        optional: true
      - uri: "urn:serial:{device.serialNumber}"
        optional: true
    keyAlgorithms: [ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096]
    keyUsage: [digitalSignature]
    extendedKeyUsage: [clientAuth]
    validity: 365d
    # In production a third of the validity, such as 120d: then a renewal much earlier than expected shows.
    renewalWindow: always
    authentication: [secret]
  # TLS servers.
  server:
    issuer: issuing
    subject:
      - commonName: "{device.id}"
    subjectAltName:
      - dns: "{device.dnsName}"
    keyAlgorithms: [ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096]
    keyUsage: [digitalSignature]
    extendedKeyUsage: [serverAuth]
    validity: 90d
    renewalWindow: always
    authentication: [secret]
  # Devices without screen and keyboard: one name, one key algorithm, a short life.
  iot:
    issuer: issuing
    subject:
      - commonName: "{device.id}"
    keyAlgorithms: [ec-p256]
    keyUsage: [digitalSignature]
    extendedKeyUsage: [clientAuth]
    validity: 30d
    renewalWindow: always
    authentication: [secret]

  # What servers and workloads order by ACME: the names that they ask for and prove, and no others. Put your own domains here, and in
  # networks where they are reached: nothing else is connected to.
  web:
    issuer: issuing
    request:
      subjectAltName:
        - dns: internal
          maximum: 100
          wildcard: true
    keyAlgorithms: [ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096]
    keyUsage: [digitalSignature]
    extendedKeyUsage: [serverAuth]
    validity: 90d
    renewalWindow: always
    authentication: [account]
    acme:
      challenges: [http-01, dns-01, tls-alpn-01]
      networks: [127.0.0.0/8, "::1/128"]

deviceClasses:
  laptop:
    attestation: none
    templates: [device]
  server:
    attestation: none
    templates: [device, server, web]
  # Can prove nothing, so other things compensate: an operator approves each enrollment, life is short, names are few.
  iot:
    attestation: none
    approval: always
    templates: [iot]
    maximumValidity: 30d
  # Gets nothing without verified evidence of its hardware.
  attested-laptop:
    attestation: required
    templates: [device]

# Everyone behind one NAT address is one source; the default has room for a site of 5,000 devices.
limits:
  source: { burst: 600, count: 300, period: 1m }
  device: { burst: 5, count: 10, period: 1d }
  template: { burst: 200, count: 1000, period: 1h }

secrets:
  lifetime: 1h
  maximumLifetime: 7d
  # To rotate: put a new key first, and remove the old one after maximumLifetime.
  macKeys:
    - id: mac-1
      key: { file: secrets/mac-1 }

approvals:
  lifetime: 7d
  retryAfter: 30s

log:
  # In every checkpoint. Never change it.
  origin: ${yamlText(logOrigin)}
  key:
    file: keys/log.key.pem
    passphrase: { file: secrets/passphrase }
  # Outside data, so that a restored database cannot bring its own. Better still on another disk.
  checkpointFile: log/checkpoint
  checkpointInterval: 1s
  sinks:
    siem:
      ndjson: { file: log/events.ndjson }
`;
}

/** JSON's strings are YAML's double-quoted ones. */
const yamlText = (text: string) => JSON.stringify(text);

/** A folder's name may hold a line end, and what follows it would be configuration. */
const commentText = (text: string) => text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');

function originOf(name: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .match(/[a-z0-9]+/g);
  return `${(words ?? ['sallyport']).join('-').slice(0, 200)}/log`;
}
