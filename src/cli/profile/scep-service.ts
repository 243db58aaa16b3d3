import { expandNames, type DeviceNames, type Template } from '#ca';
import type { Configuration } from '#config';
import { SallyportError } from '#errors';
import { readPinnedChain } from '../trust/pinned-chain.ts';
import { isAlternativeName } from './alternative-names.ts';
import type { DeviceService, ScepService } from './profile.ts';
import { chooseScepListener, scepUrl } from './scep-address.ts';

export interface Wanted {
  readonly template: string;
  readonly listener: string | undefined;
  readonly url: string | undefined;
  readonly waitSeconds: number;
}

/** What devices are told of a template, from the configuration and the certificates that it names. Throws 'usage', 'config'. */
export async function readScepService(configuration: Configuration, wanted: Wanted): Promise<ScepService> {
  const { templates, issuers, approvals, authority } = configuration;
  const template = templates.find(({ name }) => name === wanted.template);
  if (template === undefined) {
    const known = templates.map(({ name }) => name).join(', ');
    throw new SallyportError(
      'usage',
      `there is no template ${wanted.template}; the configuration has ${known}`,
    );
  }
  requireScepTemplate(template);
  const listener = chooseScepListener(configuration, template.name, wanted.listener);
  const chain = await readPinnedChain(issuers.find(({ name }) => name === template.issuer)!);
  const { caCertificates } = listener.protocols.scep!;
  return {
    authority: authority.name,
    listener: listener.name,
    url: scepUrl(listener, template.name, wanted.url),
    template,
    chain,
    caCertificates,
    anchor: (caCertificates === 'path' ? chain.root : chain.path[0]!).certificate,
    patience: { intervalSeconds: approvals.retryAfterSeconds, totalSeconds: wanted.waitSeconds },
  };
}

/** What SCEP can never fulfil. */
function requireScepTemplate({ name, keyAlgorithms, channelBinding }: Template): void {
  const refuse = (words: string) => {
    throw new SallyportError('usage', `template ${name} ${words}`);
  };
  if (!keyAlgorithms.some((algorithm) => algorithm.startsWith('rsa-'))) {
    refuse(
      `is for keys of ${keyAlgorithms.join(', ')}: SCEP encrypts what it issues to the key, and that takes RSA; add rsa-2048 to its keyAlgorithms, or use EST`,
    );
  }
  if (channelBinding === 'required') {
    refuse('demands that a request is bound to its connection, which SCEP cannot do: use EST');
  }
}

/** As the inventory has it. */
export interface InventoryDevice extends DeviceNames {
  readonly deviceClass: string;
}

/** With the names that the template builds for the device. Throws 'forbidden' where it builds none, or the class may not enroll there. */
export function serviceFor(
  service: ScepService,
  { deviceClasses }: Configuration,
  device: InventoryDevice,
): DeviceService {
  const ofClass = deviceClasses.find(({ name }) => name === device.deviceClass);
  if (ofClass?.listeners?.includes(service.listener) === false) {
    throw new SallyportError(
      'forbidden',
      `devices of class ${ofClass.name} may not enroll at listener ${service.listener}; they may at ${ofClass.listeners.join(', ')}`,
    );
  }
  const asksNothing = { subject: [], subjectAltName: [], extensions: [] };
  const { subject, subjectAltName, problems } = expandNames(service.template, device, asksNothing);
  const [problem] = problems;
  if (problem !== undefined) {
    throw new SallyportError(
      'forbidden',
      `template ${service.template.name} builds no names for device ${device.id}: ${problem}`,
    );
  }
  return { ...service, device: device.id, subject, subjectAltName: subjectAltName.filter(isAlternativeName) };
}
