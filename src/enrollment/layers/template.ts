import type { ExpandedNames, Template } from '#ca';
import type { DeviceClass } from '#inventory';
import type { Context } from '#policy';
import type { PresenterObservation } from '../observations.ts';
import { Finding } from './finding.ts';

export function deriveTemplate(
  asked: string | null,
  template: Template | undefined,
  deviceClass: DeviceClass | undefined,
  names: ExpandedNames | null,
): Finding<NonNullable<Context['template']>> {
  const allowed = deviceClass?.templates ?? null;
  const facts = {
    known: template !== undefined,
    forClass:
      template !== undefined &&
      deviceClass !== undefined &&
      (allowed === null || allowed.includes(template.name)),
    namesBuilt: names !== null && names.problems.length === 0,
  };
  return new Finding(facts)
    .because('template-known', facts.known, `there is no template ${asked ?? '(none was named)'}`)
    .because(
      'template-class',
      facts.forClass,
      `devices of class ${deviceClass?.name ?? 'unknown'} may not have template ${asked}`,
    )
    .because(
      'template-names',
      facts.namesBuilt,
      names?.problems.join('; ') ?? 'without a device there are no names to build',
    );
}

/** Renewal is open for the template's window before the end. */
export function deriveRenewal(
  presenter: PresenterObservation,
  template: Template,
  time: number,
): Finding<NonNullable<Context['renewal']>> {
  const opens = presenter.notAfter - template.renewalWindowSeconds * 1000;
  const windowOpen = time >= opens || template.renewalWindowSeconds >= template.validitySeconds;
  return new Finding({ windowOpen }).because(
    'renewal-window',
    windowOpen,
    `renewal opens on ${new Date(opens).toISOString()}`,
  );
}
