import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSallyportError } from '#errors';
import { type NoteVerifier, openNote, parseVerifierKey, signNote } from '#audit';
import { noteKey } from './note-key.fixture.ts';
import { tampered } from './reference-tree.fixture.ts';
import { maximumNoteLength, maximumNoteSignatures } from './signed-note.ts';

const text = 'log.example/audit\n3\nhello\n';
const log = noteKey();
const other = noteKey('other.example');
const note = await signNote(text, log.signer);
const signatureLine = note.slice(text.length + 1);

async function lineOf(key: ReturnType<typeof noteKey>): Promise<string> {
  return (await signNote(text, key.signer)).slice(text.length + 1);
}

/** A line that is in order, of a key that nobody knows. */
function unknownLine(name: string): string {
  return `— ${name} ${Buffer.alloc(68, 1).toString('base64')}\n`;
}

test('C2SP signed-note: the example note opens with the example verifier key', () => {
  const verifier = parseVerifierKey('example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
  const example =
    'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
  assert.deepEqual(openNote(example, [verifier]), {
    text: 'This is an example message.\n',
    signatures: [{ name: 'example.com/foo', keyId: '530d903a' }],
  });
});

test('what is signed opens again, whatever the text', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' })), async (lines) => {
      const signed = `${lines.join('\n').replaceAll(/[\0-\t\v-\x1f]/g, '')}\n`;
      const made = await signNote(signed, log.signer);
      assert.equal(openNote(made, [log.verifier]).text, signed);
      assert.equal(openNote(Buffer.from(made), [log.verifier]).text, signed);
    }),
    { numRuns: 50 },
  );
});

test('the text ends at the last empty line, so a note inside a note is text', async () => {
  const nested = await signNote(note, other.signer);
  assert.equal(openNote(nested, [other.verifier]).text, note);
  assert.throws(() => openNote(nested, [log.verifier]), { code: 'bad-signature' });
});

test('signatures of unknown keys are ignored, also those that share a name or an ID with a known key', async () => {
  const sameName = await lineOf(noteKey(log.signer.name));
  const sameId = signatureLine.replace(log.signer.name, 'elsewhere.example');
  const signed = `${text}\n${unknownLine('unknown.example')}${sameName}${sameId}${signatureLine}`;
  assert.deepEqual(openNote(signed, [log.verifier]).signatures, [
    { name: log.verifier.name, keyId: log.verifier.keyId },
  ]);
});

test('a note without a signature of a known key is refused', () => {
  assert.throws(() => openNote(note, [other.verifier]), { code: 'bad-signature' });
  assert.throws(() => openNote(note, []), { code: 'bad-signature' });
});

test('a bad signature of a known key refuses the note, although another one verifies', async () => {
  const badLine = (await lineOf(other)).replace(/ \S+$/m, (encoded) => {
    const bytes = Buffer.from(encoded.trim(), 'base64');
    return ` ${Buffer.from(tampered(bytes, 300)).toString('base64')}`;
  });
  const signed = `${text}\n${signatureLine}${badLine}`;
  assert.doesNotThrow(() => openNote(signed, [log.verifier]));
  assert.throws(() => openNote(signed, [log.verifier, other.verifier]), { code: 'bad-signature' });
});

test('all known signatures are reported, in the order of the note', async () => {
  const signed = `${text}\n${await lineOf(other)}${signatureLine}`;
  assert.deepEqual(
    openNote(signed, [log.verifier, other.verifier]).signatures.map(({ name }) => name),
    ['other.example', 'log.example/audit'],
  );
});

test('a repeated signature counts once, and a bad repetition refuses the note', () => {
  assert.equal(openNote(`${note}${signatureLine}`, [log.verifier]).signatures.length, 1);
  const bytes = Buffer.from(signatureLine.split(' ')[2]?.trim() ?? '', 'base64');
  const bad = `— ${log.signer.name} ${Buffer.from(tampered(bytes, 40)).toString('base64')}\n`;
  assert.throws(() => openNote(`${note}${bad}`, [log.verifier]), { code: 'bad-signature' });
  assert.throws(() => openNote(`${text}\n${bad}${signatureLine}`, [log.verifier]), { code: 'bad-signature' });
});

test('a signature of another length than Ed25519 has does not verify', () => {
  const keyId = Buffer.from(log.verifier.keyId, 'hex');
  for (const length of [1, 63, 65, 128]) {
    const encoded = Buffer.concat([keyId, Buffer.alloc(length)]).toString('base64');
    const short = `${text}\n— ${log.signer.name} ${encoded}\n`;
    assert.throws(() => openNote(short, [log.verifier]), { code: 'bad-signature' });
  }
});

test('two verifiers of one name and ID are a mistake of who configures them', () => {
  assert.throws(() => openNote(note, [log.verifier, log.verifier]), { code: 'config' });
});

test('more than 16 signatures are read, up to 64', () => {
  const unknown = (count: number): string =>
    Array.from({ length: count }, (_, at) => unknownLine(`w${at}.example`)).join('');
  for (const count of [15, 16, 40, maximumNoteSignatures - 1]) {
    assert.equal(openNote(`${text}\n${unknown(count)}${signatureLine}`, [log.verifier]).text, text);
  }
  const tooMany = `${text}\n${unknown(maximumNoteSignatures)}${signatureLine}`;
  assert.throws(() => openNote(tooMany, [log.verifier]), { code: 'too-large' });
});

test('16 post-quantum signatures of 5 kB fit, a note beyond the size limit does not', () => {
  const postQuantum = Array.from(
    { length: 16 },
    (_, at) => `— w${at}.example ${Buffer.alloc(5000, at).toString('base64')}\n`,
  ).join('');
  assert.equal(openNote(`${note}${postQuantum}`, [log.verifier]).text, text);
  const large = `${'é'.repeat(maximumNoteLength / 2)}\n\n${signatureLine}`;
  assert.throws(() => openNote(large, [log.verifier]), { code: 'too-large' });
  assert.throws(() => openNote(Buffer.from(large), [log.verifier]), { code: 'too-large' });
});

test('what is not formed as a note is refused', () => {
  const [, name = '', encoded = ''] = signatureLine.trim().split(' ');
  const cases: Record<string, string> = {
    empty: '',
    'no signatures': text,
    'no empty line': `${text}${signatureLine}`,
    'no text': signatureLine,
    'empty signature block': `${text}\n`,
    'missing last newline': note.slice(0, -1),
    'empty line at the end': `${note}\n`,
    'carriage returns': note.replaceAll('\n', '\r\n'),
    'hyphen for the em dash': note.replace('—', '-'),
    'en dash for the em dash': note.replace('—', '–'),
    'no space after the em dash': note.replace('— ', '—'),
    'two spaces': note.replace('— ', '—  '),
    'space at the end': `${note.slice(0, -1)} \n`,
    'no signature': `${text}\n— ${name}\n`,
    'plus in a name': `${text}\n— a+b ${encoded}\n`,
    'no name': `${text}\n—  ${encoded}\n`,
    'Unicode space in a name': `${text}\n— a\u2003b ${encoded}\n`,
    'not base64': `${text}\n— ${name} ****\n`,
    'base64 without padding': `${text}\n— ${name} ${encoded.replaceAll('=', '')}\n`,
    base64url: `${text}\n— ${name} ${Buffer.alloc(68, 0xfb).toString('base64url')}\n`,
    'key ID only': `${text}\n— ${name} ${Buffer.alloc(4).toString('base64')}\n`,
    'control character in the text': note.replace('hello', 'he\0llo'),
    'tab in the text': note.replace('hello', 'he\tllo'),
    'lone surrogate': note.replace('hello', 'he\ud800llo'),
  };
  for (const [name, malformed] of Object.entries(cases)) {
    assert.throws(() => openNote(malformed, [log.verifier]), { code: 'malformed' }, name);
  }
});

test('the em dash is the three octets e2 80 94, and what is not UTF-8 is refused', () => {
  const bytes = Buffer.from(note);
  const dash = bytes.indexOf(Buffer.from('e28094', 'hex'));
  assert.equal(dash, text.length + 1);
  for (const octets of ['ff8094', 'e2ff94', 'e280ff', '2d2d20']) {
    const malformed = Buffer.from(bytes);
    malformed.write(octets, dash, 'hex');
    assert.throws(() => openNote(malformed, [log.verifier]), { code: 'malformed' }, octets);
  }
  const badName = Buffer.from(`${note}${unknownLine('w')}`);
  badName[badName.lastIndexOf(Buffer.from(' w ')) + 1] = 0xff;
  assert.throws(
    () => openNote(badName, [log.verifier]),
    { code: 'malformed' },
    'in the name of an unknown key',
  );
  const marked = Buffer.concat([Buffer.from('efbbbf', 'hex'), bytes]);
  assert.throws(
    () => openNote(marked, [log.verifier]),
    { code: 'bad-signature' },
    'a byte order mark is text',
  );
});

test('any octet changed is refused, or was outside of what the known key signed', () => {
  const bytes = Buffer.from(note);
  for (let bit = 0; bit < bytes.length * 8; bit += 3) {
    const changed = tampered(bytes, bit);
    assert.throws(
      () => openNote(changed, [log.verifier]),
      (error) => isSallyportError(error, 'malformed', 'bad-signature'),
    );
  }
});

test('arbitrary octets and lines give a typed error', () => {
  const lines = fc.array(fc.constantFrom('\n', '— ', 'a', ' ', 'AAAAAAAA', '\n\n', text, signatureLine));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        lines.map((parts) => parts.join('')),
      ),
      (input) => {
        try {
          assert.equal(openNote(input, [log.verifier]).text, text);
        } catch (error) {
          assert.ok(isSallyportError(error, 'malformed', 'bad-signature', 'too-large'), String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('a verifier of another algorithm is asked with text and signature as they are', () => {
  const asked: unknown[] = [];
  const witness: NoteVerifier = {
    name: 'witness.example',
    keyId: '01020304',
    verify: (signed, signature) =>
      asked.push([Buffer.from(signed).toString(), Buffer.from(signature).toString()]) > 0,
  };
  const line = `— witness.example ${Buffer.from('\x01\x02\x03\x04any length').toString('base64')}\n`;
  openNote(`${text}\n${line}`, [witness]);
  assert.deepEqual(asked, [[text, 'any length']]);
});

test('what cannot be a note is not signed', async () => {
  const ending = 'the text of a note ends in a newline';
  await assert.rejects(signNote('no newline', log.signer), { code: 'malformed', message: ending });
  await assert.rejects(signNote('', log.signer), { code: 'malformed' });
  await assert.rejects(signNote('a\tb\n', log.signer), { code: 'malformed' });
  await assert.rejects(signNote('\ud800\n', log.signer), { code: 'malformed' });
  await assert.rejects(signNote(text, { ...log.signer, name: 'two words' }), { code: 'malformed' });
});

test('a key that is no Ed25519 key signs no notes', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const sign = async (): Promise<Uint8Array> => Buffer.alloc(70);
  await assert.rejects(signNote(text, { name: 'a', key: { algorithm: 'ec-p256', spki, sign } }), {
    code: 'unsupported',
  });
  await assert.rejects(signNote(text, { name: 'a', key: { ...log.signer.key, sign } }), { code: 'key' });
});
