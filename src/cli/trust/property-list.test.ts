import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { renderPropertyList, xmlText } from './property-list.ts';

const reserved = `Tom & Jerry's <"CA">`;

test('characters that XML reserves are escaped, in keys too', () => {
  assert.equal(xmlText(reserved), 'Tom &amp; Jerry&apos;s &lt;&quot;CA&quot;&gt;');
  assert.match(renderPropertyList({ 'a<b': reserved }), /<key>a&lt;b<\/key>\n\t<string>Tom &amp; Jerry/);
});

test('what is no XML character becomes the replacement character (XML 1.0 section 2.2)', () => {
  assert.equal(xmlText('a\u0000b\u001Bc\uFFFEd\uD800e\rf\tg'), 'a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\uFFFDf\tg');
});

test('whatever the text: no markup comes of it, and it can be read back', () => {
  const hostile = fc.string({
    unit: fc.oneof(
      fc.constantFrom('&', '<', '>', '"', "'", ']]>', '&amp;', '<!--', '\u0001', '\uDC00'),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
  });
  fc.assert(
    fc.property(hostile, (text) => {
      const written = xmlText(text);
      assert.doesNotMatch(written, /[<>"']|&(?!(?:amp|lt|gt|quot|apos);)/);
      assert.doesNotMatch(written, /[^\t\n\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u);
      if (/^[\t\n\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u.test(text)) {
        assert.equal(unescaped(written), text);
      }
    }),
  );
});

test('the document has the heading, the nesting and the base64 of a property list', () => {
  assert.equal(
    renderPropertyList({ List: [{ Data: new Uint8Array(50) }, true, false], Version: 1 }),
    `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>List</key>
	<array>
		<dict>
			<key>Data</key>
			<data>
			${'A'.repeat(64)}
			AAA=
			</data>
		</dict>
		<true/>
		<false/>
	</array>
	<key>Version</key>
	<integer>1</integer>
</dict>
</plist>
`,
  );
});

function unescaped(text: string): string {
  const characters: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replaceAll(/&(\w+);/g, (_, name: string) => characters[name]!);
}
