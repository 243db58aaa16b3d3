import { pemOf } from '../trust/encode-chain.ts';
import { continued } from '../trust/shell.ts';
import type { DeviceService } from './profile.ts';

/** The files that the scripts write, beside what their clients need. */
export const scriptFiles = {
  root: 'root.pem',
  ra: 'ra.pem',
  key: 'device.key',
  certificate: 'device.pem',
} as const;

const allIntermediates = 'between.pem';

/** The CAs between, nearest first. */
export function intermediateFiles({ chain }: DeviceService): readonly string[] {
  return chain.below.map((_, at) => (at === 0 ? 'issuing.pem' : `issuing-${at + 1}.pem`));
}

/** For programs that take a single file of them. null: there are none. */
export function intermediatesInOneFile(service: DeviceService): string | null {
  const files = intermediateFiles(service);
  return files.length < 2 ? (files[0] ?? null) : allIntermediates;
}

/**
 * Ends the script where the certificate that GetCACert gave is not that of our RA: the secret is encrypted to it, whoever sent it. No device has such a one: its extended key usage
 * is that of messages, and theirs are what their templates say.
 */
export function raVerification(service: DeviceService): string {
  const between = intermediatesInOneFile(service);
  return continued(
    `openssl verify -purpose smimeencrypt -no-CApath -CAfile ${scriptFiles.root}`,
    ...(between === null ? [] : [`-untrusted ${between}`]),
    scriptFiles.ra,
  );
}

const goesOn =
  'Run again after a failure, it goes on with the same key; for another key the secret is worth nothing.';

/** A script for `sh` on the device. Nothing is readable for others, and a failed command ends it. */
export function script(
  service: DeviceService,
  { client, afterwards = goesOn }: { readonly client: string; readonly afterwards?: string },
  sections: readonly string[],
): string {
  const { device, template, url } = service;
  const head = `\
#!/bin/sh
# ${commentText(`Enrolls ${device} for template ${template.name} by ${client}, at ${url}.`)}
# Run it on the device, in a folder of its own. It holds a one-time secret: do not keep it.
# ${afterwards}
set -eu
umask 077`;
  return `${[head, chainFiles(service), ...sections].join('\n\n')}\n`;
}

function chainFiles(service: DeviceService): string {
  const { root, below } = service.chain;
  const intermediates = intermediateFiles(service);
  return [
    '# What is trusted, and nothing that comes over the network.',
    fileOf(scriptFiles.root, pemOf(root.certificate)),
    ...below.map(({ certificate }, at) => fileOf(intermediates[at]!, pemOf(certificate))),
    ...(intermediates.length < 2 ? [] : [`cat ${intermediates.join(' ')} > ${allIntermediates}`]),
  ].join('\n');
}

/** The text is none that ends a here-document: PEM, or lines of our own making. */
export function fileOf(name: string, text: string): string {
  return `cat > ${name} <<'END'\n${text.trimEnd()}\nEND`;
}

/** A name must not end the comment that it stands in. */
function commentText(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?');
}
