import { der } from '#x509';
import { nonce } from '../evidence.fixture.ts';

/** [n] EXPLICIT with any n (X.690 section 8.1.2.4). */
export function tagged(n: number, inner: Uint8Array): Uint8Array {
  const groups = [n >> 7, n & 0x7f].filter((group, at) => at === 1 || group > 0);
  const high = [0xbf, ...groups.map((group, at) => (at < groups.length - 1 ? 0x80 | group : group))];
  return Uint8Array.from([...(n < 31 ? [0xa0 | n] : high), ...der.explicit(0, inner).subarray(1)]);
}

export function text(value: string): Uint8Array {
  return der.octetString(Buffer.from(value));
}

export function rootOfTrust({ locked = 0xff, state = 0 } = {}): Uint8Array {
  return der.sequence(
    der.octetString(Buffer.alloc(32, 0xab)),
    Uint8Array.of(1, 1, locked),
    der.enumerated(state),
    der.octetString(Buffer.alloc(32, 0xcd)),
  );
}

/** By tag; undefined leaves one out. */
export type List = Readonly<Record<number, Uint8Array | undefined>>;

export const hardwareEnforced: List = {
  1: der.set(der.integer(2), der.integer(3)),
  2: der.integer(3),
  503: der.null(),
  702: der.integer(0),
  704: rootOfTrust(),
  705: der.integer(160_000),
  706: der.integer(202_608),
  710: text('google'),
  711: text('caiman'),
  712: text('caiman_beta'),
  713: text('SN-1'),
  714: text('351163520096208'),
  715: text('A0000000002329'),
  716: text('Google'),
  717: text('Pixel 9 Pro'),
  718: der.integer(20_260_805),
  719: der.integer(20_260_801),
  723: text('351163520096216'),
};

export function elementsOf(list: List): readonly Uint8Array[] {
  return Object.entries(list).flatMap(([n, inner]) =>
    inner === undefined ? [] : [tagged(Number(n), inner)],
  );
}

/** KeyDescription, or with another field in the place of one of the eight. */
export function keyDescription(changed: Readonly<Record<number, Uint8Array>> = {}): Uint8Array {
  const fields = {
    0: der.integer(300),
    1: der.enumerated(1),
    2: der.integer(301),
    3: der.enumerated(1),
    4: der.octetString(nonce.toBeSigned),
    5: der.octetString(new Uint8Array()),
    6: der.sequence(tagged(701, der.integer(1_758_900_646_327)), tagged(9999, der.null())),
    7: der.sequence(...elementsOf(hardwareEnforced)),
    ...changed,
  };
  return der.sequence(...Object.values(fields));
}

export function withHardware(changed: List): Uint8Array {
  return keyDescription({ 7: der.sequence(...elementsOf({ ...hardwareEnforced, ...changed })) });
}
