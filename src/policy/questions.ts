import { actions, type Action } from './facts.ts';
import type { PolicySet } from './policy-set.ts';

/** The names that policies may use. Part of what an operator configures. */
export interface References {
  readonly templates: readonly string[];
  readonly deviceClasses: readonly string[];
}

/** Who asks for what: everything of a request but its context. */
export interface Question {
  readonly action: Action;
  readonly deviceClass: string;
  readonly template: string;
}

/** The device classes and templates that a request can have, those for "none known" first. */
export function namesOf({
  deviceClasses,
  templates,
}: References): Readonly<Record<string, readonly string[]>> {
  return { DeviceClass: ['unknown', ...deviceClasses], Template: ['none', ...templates] };
}

/**
 * Every question that policies can tell apart. Device classes and templates have no attributes and no parents, so a
 * policy can tell two of them apart only by naming one: those that no policy names are judged alike, and the first of
 * them stands for all.
 */
export function questionsOf({ controls }: PolicySet, references: References): Question[] {
  const named = new Set(
    controls.flatMap(({ reading }) => reading.entities.map(({ type, id }) => `${type} ${id}`)),
  );
  const distinct = (type: string): string[] => {
    const names = namesOf(references)[type] ?? [];
    const alike = names.filter((name) => !named.has(`${type} ${name}`));
    return [...alike.slice(0, 1), ...names.filter((name) => named.has(`${type} ${name}`))];
  };
  const deviceClasses = distinct('DeviceClass');
  const templates = distinct('Template');
  return actions.flatMap((action) =>
    deviceClasses.flatMap((deviceClass) => templates.map((template) => ({ action, deviceClass, template }))),
  );
}

export function describeQuestion({ action, deviceClass, template }: Question): string {
  return `${action}, device class ${deviceClass}, template ${template}`;
}
