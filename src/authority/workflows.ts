import { randomUUID } from 'node:crypto';
import { type Configuration, type Environment, readSecret, type WorkflowConfiguration } from '#config';
import { staticChallengeDigest, type StaticChallenges, type Workflow } from '#enrollment';
import { SallyportError } from '#errors';
import { fewForEachDevice, httpsCalls, intune, webhook } from '#workflow';
import { readTrustedCas } from './read-certificates.ts';

export interface WorkflowPorts {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly version: string;
  readonly report: (fault: { id: string; error: unknown }) => void;
}

const shortestKey = 32;
const shortestChallenge = 16;

/** Throws 'config' where a secret or a file cannot be read. */
export async function openWorkflows(
  configuration: Configuration,
  environment: Environment,
  ports: WorkflowPorts,
): Promise<ReadonlyMap<string, Workflow>> {
  const opening = configuration.workflows.map(
    async (workflow) =>
      [workflow.name, fewForEachDevice(await open(workflow, configuration, environment, ports))] as const,
  );
  return new Map(await Promise.all(opening));
}

async function open(
  workflow: WorkflowConfiguration,
  { directory }: Configuration,
  environment: Environment,
  { now, version, report }: WorkflowPorts,
): Promise<Workflow> {
  const { name, timeoutSeconds, ca: file } = workflow;
  const ca = file === null ? null : await readTrustedCas(file);
  const common = {
    call: httpsCalls({ timeoutMilliseconds: timeoutSeconds * 1000, ca, client: null }),
    now,
    report: (error: unknown) => report({ id: `workflow ${name}`, error }),
  };
  if (workflow.kind === 'webhook') {
    const key = readSecret(workflow.key, directory, environment);
    if (key.length < shortestKey) throw tooShort(`the key of workflow ${name}`, shortestKey);
    return webhook({ url: workflow.url, key }, common);
  }
  const clientSecret = readSecret(workflow.clientSecret, directory, environment);
  const callerInfo = `Sallyport ${version}`;
  return intune({ ...workflow, clientSecret, callerInfo }, { ...common, uuid: () => randomUUID() });
}

/** Throws 'config' where one cannot be read, or is too short. */
export function readStaticChallenges(
  { staticChallenges, directory }: Configuration,
  environment: Environment,
): StaticChallenges {
  return new Map(
    Object.entries(staticChallenges).map(([template, { challenge }]) => {
      const text = readSecret(challenge, directory, environment);
      if (text.length < shortestChallenge) {
        throw tooShort(`the static challenge of template ${template}`, shortestChallenge);
      }
      return [template, staticChallengeDigest(text)];
    }),
  );
}

function tooShort(what: string, least: number): SallyportError {
  return new SallyportError('config', `${what} is shorter than ${least} characters`);
}
