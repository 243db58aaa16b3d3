import { constants, publicEncrypt, randomBytes, randomInt } from 'node:crypto';
import { anyPorts, type Cleanup, initAuthority, serveAuthority } from '../test/harness/authority.ts';
import { csrFor, makeCsr, makeKey } from '../test/harness/csr.ts';
import { askHttp } from '../test/harness/http.ts';
import { ScepClient } from '../test/harness/scep-client.ts';
import { percentile, rounded } from './percentile.ts';
import { median, welch } from './welch.ts';

/** Beyond it two samples are said to differ (the usual bound of leakage tests, TVLA). */
const bound = 4.5;
/** The slowest say what else the machine did. */
const kept = 0.9;

/**
 * Whether the time of SCEP's answer tells why a message could not be opened: messages of each kind, one after the other in a random order, and Welch's t
 * of each kind against all others. The statistic finds no leak that it has too few samples for.
 */
export async function benchUnopened(
  { requests }: { readonly requests: number },
  say: (line: string) => void,
) {
  const ends: (() => Promise<void> | void)[] = [];
  const cleanup: Cleanup = { after: (end) => void ends.push(end) };
  try {
    const files = await initAuthority(cleanup, (yaml) =>
      anyPorts(yaml)
        .replaceAll(/\{ burst: \d+, count: \d+, period: \w+ \}/g, unlimited)
        .replace('\nlimits:\n', `$&  unopened: ${unlimited}\n`),
    );
    const served = await serveAuthority(files);
    ends.push(() => served.stop());
    const url = `${served.scep}/device`;
    const kinds = kindsOf(await ScepClient.at(url));
    const names = Object.keys(kinds);
    const times: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
    const warmUp = 50 * names.length;
    for (let sent = -warmUp; sent < requests; sent += 1) {
      const name = names[randomInt(names.length)]!;
      const body = await kinds[name]!();
      const began = process.hrtime.bigint();
      const answer = await askHttp(`${url}?operation=PKIOperation`, { method: 'POST', body });
      const microseconds = Number(process.hrtime.bigint() - began) / 1000;
      if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${answer.text}`);
      if (sent >= 0) times[name]!.push(microseconds);
      if (sent > 0 && sent % 2000 === 0) say(`${sent} of ${requests}`);
    }
    const cropped = Object.fromEntries(
      Object.entries(times).map(([name, all]) => {
        const sorted = all.toSorted((left, right) => left - right);
        return [name, sorted.filter((time) => time <= percentile(sorted, kept))];
      }),
    );
    const result = Object.fromEntries(
      names.map((name) => {
        const others = names.filter((each) => each !== name).flatMap((each) => cropped[each]!);
        return [
          name,
          {
            samples: times[name]!.length,
            medianMicroseconds: rounded(median(cropped[name]!), 1),
            t: rounded(welch(cropped[name]!, others), 2),
          },
        ];
      }),
    );
    const largest = Math.max(...Object.values(result).map(({ t }) => Math.abs(t)));
    return { bench: 'unopened', requests, kinds: result, largest, bound, differs: largest > bound };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

const unlimited = '{ burst: 1000000, count: 1000000, period: 1s }';

/** Each of them fails at another step of opening it; made anew each time, so that no cache answers. */
function kindsOf(client: ScepClient): Readonly<Record<string, () => Promise<Uint8Array>>> {
  const key = makeKey('rsa-2048');
  const other = makeKey('rsa-2048');
  const content = csrFor('bench', key, { challengePassword: 'nobody-gave-this-out' });
  const build = async (envelope: Uint8Array) => (await client.build({ content, key, envelope })).body;
  const sealed = (hidden: Uint8Array) => Buffer.from(client.envelope({ content: hidden }));
  const encrypted = (bytes: Uint8Array) =>
    publicEncrypt({ key: publicKeyOf(client), padding: constants.RSA_PKCS1_PADDING }, bytes);
  return {
    'no padding of PKCS #1': () => build(withKey(sealed(content), randomBytes(256).with(0, 0))),
    'a key of 15 octets': () => build(withKey(sealed(content), encrypted(randomBytes(15)))),
    'another key': () => build(withKey(sealed(content), encrypted(randomBytes(16)))),
    'padding of the cipher': () => {
      const envelope = sealed(content);
      envelope[envelope.length - 1]! ^= 0x40;
      return build(envelope);
    },
    'no certification request': () => build(sealed(randomBytes(content.length))),
    'signed by another key': () =>
      build(sealed(makeCsr({ key, subject: [{ type: 'commonName', value: 'bench' }], signWith: other }))),
    'a request for another key': () => build(sealed(csrFor('bench', other))),
  };
}

function publicKeyOf({ ra }: ScepClient) {
  return `-----BEGIN PUBLIC KEY-----\n${Buffer.from(ra.spki).toString('base64')}\n-----END PUBLIC KEY-----\n`;
}

/** The encrypted key is the one octet string of 256 octets. */
function withKey(envelope: Buffer, encryptedKey: Uint8Array): Buffer {
  const at = envelope.indexOf(Buffer.from([0x04, 0x82, 0x01, 0x00]));
  if (at < 0) throw new Error('the envelope has no key of 256 octets');
  envelope.set(encryptedKey, at + 4);
  return envelope;
}
