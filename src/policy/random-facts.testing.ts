import fc from 'fast-check';

import { type Action, actions, type Context, type Facts } from './facts.ts';
import { byAccount, byChallenge, byIdentity, provenFacts, references } from './proven-facts.testing.ts';
import { type Attribute, type Group, loadSchema } from './schema.ts';

/** Facts at random, of the right types: anything from all proven to nothing known, and every group of any action. */
export const randomFacts: fc.Arbitrary<Facts> = fc
  .record({
    action: fc.constantFrom(...actions),
    deviceClass: fc.constantFrom('unknown', ...references.deviceClasses),
    template: fc.constantFrom('none', ...references.templates),
    reasons: fc.dictionary(fc.constantFrom('key-strength', 'incomplete', 'attestation'), fc.string()),
  })
  .chain((question) => randomContext(question.action).map((context) => ({ ...question, context })));

/** The same, then spoiled: attributes missing, too many, or of a type that the schema does not know. */
export const spoiledFacts: fc.Arbitrary<Facts> = randomFacts.chain((facts) =>
  fc
    .record({
      group: fc.constantFrom(...Object.keys(facts.context), 'stranger'),
      attribute: fc.constantFrom(
        'known',
        'strong',
        'source',
        'lifts',
        'listenerClass',
        'verified',
        '__proto__',
      ),
      value: fc.oneof(
        fc.constantFrom<unknown>(undefined, null, 0, 'true', {}, [], [1], ['x']),
        fc.jsonValue(),
      ),
      whole: fc.boolean(),
    })
    .map(({ group, attribute, value, whole }) => {
      const groups = facts.context as Readonly<Record<string, object>>;
      const spoiled = whole ? value : { ...groups[group], [attribute]: value };
      return { ...facts, context: { ...groups, [group]: spoiled } };
    }),
);

/** Mostly few deviations from what is proven, since facts wholly at random are never allowed. */
function randomContext(action: Action): fc.Arbitrary<Context> {
  const { groupsOf, attributesOf } = loadSchema();
  const proven = provenFacts(action).context;
  const wholly = fc.record(
    Object.fromEntries(groupsOf[action].map((group) => [group, randomGroup(attributesOf[group])])),
    { requiredKeys: [] },
  );
  const deviations = fc.array(
    fc
      .constantFrom(...groupsOf[action])
      .chain((group) => fc.record({ group: fc.constant(group), facts: fc.option(deviation(group)) })),
    { maxLength: 3 },
  );
  const nearly = deviations.map((changes) => {
    const context: Record<string, unknown> = { ...proven };
    for (const { group, facts } of changes) {
      if (facts === null) delete context[group];
      else context[group] = { ...(context[group] as object | undefined), ...facts };
    }
    return complete(context, proven);
  });
  return fc.oneof({ weight: 1, arbitrary: wholly }, { weight: 4, arbitrary: nearly });
}

function deviation(group: Group): fc.Arbitrary<object> {
  return fc
    .constantFrom(...loadSchema().attributesOf[group])
    .chain((attribute) => randomValue(attribute).map((value) => ({ [attribute.name]: value })));
}

/** A group that was taken away and then changed has all of its attributes again. */
function complete(context: Record<string, unknown>, proven: Context): Context {
  const known: readonly Partial<Record<string, object | null>>[] = [
    byIdentity,
    byChallenge,
    byAccount,
    proven,
  ];
  for (const [group, facts] of Object.entries(context)) {
    context[group] = Object.assign({}, ...known.map((each) => each[group]), facts);
  }
  return context;
}

function randomGroup(attributes: readonly Attribute[]): fc.Arbitrary<unknown> {
  return fc.record(
    Object.fromEntries(attributes.map((attribute) => [attribute.name, randomValue(attribute)])),
  );
}

function randomValue({ name, type }: Attribute): fc.Arbitrary<unknown> {
  if (type === 'boolean') return fc.boolean();
  if (type === 'strings') {
    const controls = [
      'attestation-rollback',
      'attestation-shared',
      'first-enrollment',
      'class-approval',
      'enrollment-again',
      'renewal-window',
      'renewal-lineage',
      'key-unshared',
      'segment-class',
    ];
    return fc.array(fc.constantFrom(...controls), { maxLength: 3 });
  }
  if (name === 'kind') return fc.constantFrom('idevid', 'mdm', 'ra', 'none', '');
  return name === 'state'
    ? fc.constantFrom('expected', 'active', 'suspended', 'retired', 'unknown', '')
    : fc.constantFrom('public', 'enroll', 'admin', 'ENROLL');
}
