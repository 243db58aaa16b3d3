import { Tlv } from '../harness/tlv.ts';
import { editBytes } from './byte-edits.ts';
import type { Choices } from './choices.ts';

/** An element that can be changed. What its length octets say is its length, unless they are given. */
interface Element {
  tag: number;
  content: Buffer | Element[];
  lengthOctets: Buffer | null;
  /** What follows the content: the end of an indefinite length. */
  end: Buffer;
}

const none = Buffer.alloc(0);

function elementOf(tlv: Tlv): Element {
  const constructed = (tlv.tag & 0x20) !== 0;
  const content = constructed ? tlv.children.map(elementOf) : tlv.content;
  return { tag: tlv.tag, content, lengthOctets: null, end: none };
}

function encode({ tag, content, lengthOctets, end }: Element): Buffer {
  const octets = Buffer.isBuffer(content) ? content : Buffer.concat(content.map(encode));
  return Buffer.concat([Buffer.of(tag), lengthOctets ?? encodeLength(octets.length), octets, end]);
}

function encodeLength(length: number, least = 0): Buffer {
  if (length < 0x80 && least === 0) return Buffer.of(length);
  const octets: number[] = [];
  for (let left = length; left > 0; left = Math.floor(left / 256)) octets.unshift(left % 256);
  while (octets.length < least) octets.unshift(0);
  return Buffer.of(0x80 | octets.length, ...octets);
}

type Edit = (choices: Choices, element: Element, siblings: Element[]) => void;

const octetsOf = ({ content }: Element) =>
  Buffer.isBuffer(content) ? content : Buffer.concat(content.map(encode));

const edits: readonly (readonly [weight: number, edit: Edit])[] = [
  // Lengths: longer or shorter than the content, longer than needed, far too long, reserved.
  [
    3,
    (choices, element) => {
      const { length } = octetsOf(element);
      const wrong = Math.max(0, length + choices.between(-3, 3));
      element.lengthOctets = choices.pick([
        encodeLength(wrong),
        encodeLength(length, choices.between(1, 8)),
        Buffer.from('84ffffffff', 'hex'),
        Buffer.from('88ffffffffffffffff', 'hex'),
        Buffer.of(0xff),
        none,
      ]);
    },
  ],
  [
    2,
    (choices, element) => {
      element.lengthOctets = Buffer.of(0x80);
      element.end = choices.chance(0.8) ? Buffer.alloc(2) : none;
    },
  ],
  [3, (choices, element) => (element.tag = choices.chance(0.5) ? choices.below(256) : element.tag ^ 0x20)],
  [2, (choices, element) => (element.content = choices.bytes(40))],
  [1, (_choices, element) => (element.content = none)],
  [1, (choices, element) => (element.content = Buffer.alloc(choices.below(20_000), choices.below(256)))],
  [2, (choices, element) => void (element.content = Buffer.concat([octetsOf(element), choices.bytes(8)]))],
  [2, (_choices, element, siblings) => siblings.splice(siblings.indexOf(element), 1)],
  [
    2,
    (choices, element, siblings) =>
      siblings.splice(
        siblings.indexOf(element),
        0,
        ...Array.from({ length: choices.chance(0.9) ? 1 : choices.below(300) }, () => ({ ...element })),
      ),
  ],
  [1, (choices, _element, siblings) => siblings.sort(() => choices.between(-1, 1))],
  // Depth: so many elements around it.
  [
    1,
    (choices, element) => {
      let inner = encode(element);
      const tag = choices.pick([0x30, 0x31, 0xa0, 0x24]);
      for (let left = choices.chance(0.8) ? choices.between(1, 70) : 1000; left > 0; left -= 1) {
        inner = Buffer.concat([Buffer.of(tag), encodeLength(inner.length), inner]);
      }
      element.content = inner;
    },
  ],
];

/** DER with some of its elements changed; all around them stays well formed. Of what is no DER any more, some bytes. */
export function editDer(choices: Choices, der: Uint8Array): Buffer {
  const root = rootOf(der);
  if (root === null) return editBytes(choices, Buffer.from(der));
  for (let left = choices.pick([1, 1, 1, 1, 1, 1, 2, 2, 4]); left > 0; left -= 1) {
    const { element, siblings } = choices.pick(placesIn(root));
    choices.weighted(edits)(choices, element, siblings);
  }
  return encode(root);
}

function rootOf(der: Uint8Array): Element | null {
  try {
    return elementOf(Tlv.read(der));
  } catch {
    return null;
  }
}

interface Place {
  readonly element: Element;
  readonly siblings: Element[];
}

/** Not by recursion: elements may be nested as deep as an edit before this one made them. */
function placesIn(root: Element): Place[] {
  const places: Place[] = [];
  const lists = [[root]];
  for (let siblings = lists.pop(); siblings !== undefined; siblings = lists.pop()) {
    for (const element of siblings) {
      places.push({ element, siblings });
      if (!Buffer.isBuffer(element.content)) lists.push(element.content);
    }
  }
  return places;
}
