import { parse, stringify } from 'yaml';
import { withDeviceAttest, type Yaml } from './attesting-device.ts';
import type { VerifierService } from './verifier-service.ts';

/** A configuration whose class `attested-laptop` believes the verifier, in EST, SCEP, and device-attest-01 of a template `hardware`. */
export function withVerifier(
  service: VerifierService,
  {
    verifier = service.settings(),
    external = {},
    edit = (settings) => settings,
  }: { verifier?: object; external?: object; edit?: (settings: Yaml) => Yaml } = {},
): (yaml: string) => string {
  return (yaml) => {
    const settings = withDeviceAttest(parse(yaml) as Yaml);
    settings['attestation'] = { verifiers: { knox: verifier } };
    Object.assign(settings['deviceClasses']!['attested-laptop']!, {
      evidence: { external: { verifiers: ['knox'], ...external } },
    });
    return stringify(edit(settings), { aliasDuplicateObjects: false });
  };
}
