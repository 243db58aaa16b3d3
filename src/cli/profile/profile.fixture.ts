import { initialConfiguration, parseConfiguration } from '#config';
import { buildName } from '#x509';
import { certifyChain, pinned } from '../trust/certificates.fixture.ts';
import type { Challenge, DeviceService } from './profile.ts';

/* A device and what it is told. */

const { templates } = parseConfiguration(
  Buffer.from(initialConfiguration({ name: 'Example' })),
  '/example/sallyport.yaml',
);

export const template = templates.find(({ name }) => name === 'device')!;
export const challenge: Challenge = { id: 'S-1', secret: 'AAAAA-BBBBB-CCCCC-DDDDD-EEEEE' };
const chain = pinned('issuing', await certifyChain('Root', 'Issuing'));

export function serviceOf(changes: Partial<DeviceService> = {}): DeviceService {
  return {
    authority: 'Example',
    listener: 'scep',
    url: 'http://scep.example.com/scep/device',
    template,
    chain,
    anchor: chain.root.certificate,
    caCertificates: 'path',
    patience: { intervalSeconds: 30, totalSeconds: 3600 },
    device: 'laptop-7',
    subject: buildName([{ type: 'commonName', value: 'laptop-7' }]),
    subjectAltName: [],
    ...changes,
  };
}
