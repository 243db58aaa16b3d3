import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certifyChain, pinned } from '../trust/certificates.fixture.ts';
import { renderCertmongerScript } from './certmonger.ts';
import { challenge, serviceOf } from './profile.fixture.ts';
import { renderSscepScript } from './sscep.ts';
import { renderStrongSwanScript } from './strongswan.ts';

const renderers = {
  strongSwan: renderStrongSwanScript,
  certmonger: renderCertmongerScript,
  sscep: renderSscepScript,
} as const;

for (const [client, render] of Object.entries(renderers)) {
  test(`${client}: the secret stands in a file of its own, and never among the arguments of a command`, () => {
    const script = render(serviceOf(), challenge);
    assert.equal(script.split(challenge.secret).length, 2);
    const commands = script.replaceAll(/<<'END'\n[\s\S]*?\nEND$/gm, '');
    assert.ok(!commands.includes(challenge.secret));
    assert.ok(script.indexOf('umask 077') < script.indexOf(challenge.secret));
  });

  test(`${client}: the RA is verified before the secret is written down, by all that is between it and the root`, async () => {
    const chain = pinned('issuing', await certifyChain('Root', 'Policy', 'Issuing'));
    const script = render(serviceOf({ chain }), challenge);
    const verification = script.indexOf('openssl verify -purpose smimeencrypt -no-CApath -CAfile root.pem');
    assert.ok(verification > 0 && verification < script.indexOf(challenge.secret));
    assert.match(script, /cat issuing\.pem issuing-2\.pem > between\.pem/);
    assert.match(script.slice(verification), /^[^&|;]*-untrusted between\.pem \\?\s*ra\.pem\n/);
  });

  test(`${client}: below a root that issues itself there is nothing between`, async () => {
    const chain = pinned('issuing', await certifyChain('Root'));
    assert.doesNotMatch(render(serviceOf({ chain }), challenge), /issuing\.pem|between\.pem|undefined/);
  });
}

test('strongSwan has no use for an RA without the path to its root', () => {
  const service = serviceOf({ caCertificates: 'issuer' });
  assert.throws(() => renderStrongSwanScript(service, challenge), {
    code: 'usage',
    message: /give listener scep caCertificates: path/,
  });
});

test('over TLS curl and certmonger trust our root alone; sscep speaks none', () => {
  const service = serviceOf({ url: 'https://scep.example.com/scep/device' });
  const script = renderCertmongerScript(service, challenge);
  assert.match(script, /--cacert root\.pem --capath \/dev\/null/);
  assert.match(script, /-R "\$PWD\/root\.pem"/);
  assert.throws(() => renderSscepScript(service, challenge), { code: 'usage', message: /speaks no TLS/ });
});

test('alternative names that openssl could take for something else are not told', () => {
  const name = { kind: 'uri', value: 'urn:x' } as const;
  assert.match(renderSscepScript(serviceOf({ subjectAltName: [name] }), challenge), /^URI\.0 = urn:x$/m);
  for (const value of ['urn:$ENV::HOME', 'urn:a\nb', 'urn:a;b', 'urn:a b', 'urn:a#b', 'urn:a\\']) {
    const script = renderSscepScript(serviceOf({ subjectAltName: [{ kind: 'uri', value }] }), challenge);
    assert.doesNotMatch(script, /subjectAltName/);
  }
});
