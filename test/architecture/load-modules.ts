import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';

const loader = `
  const failures = [];
  for (const url of JSON.parse(process.argv[1])) {
    await import(url).catch((error) => failures.push(url + ': ' + error));
  }
  console.log(JSON.stringify(failures));`;

/**
 * Imports each module in one child process. It finds what the compiler lets pass and Node.js does not (a decorator, a package that is
 * not there), and a module that does something by being loaded: the child must end by itself.
 */
export function loadModules(files: readonly string[], timeoutSeconds: number): string[] {
  const urls = files.map((file) => pathToFileURL(file).href);
  const child = spawnSync(process.execPath, ['--input-type=module', '--eval', loader, JSON.stringify(urls)], {
    encoding: 'utf8',
    timeout: timeoutSeconds * 1000,
  });
  if (child.error !== undefined) return [`loading every module did not end: ${child.error.message}`];
  if (child.status !== 0) return [child.stderr];
  const said = child.stdout.trimEnd().split('\n');
  const failures: unknown = JSON.parse(said.pop() ?? '[]');
  return [
    ...said.map((line) => `a module prints when it is loaded: ${line}`),
    ...(Array.isArray(failures) ? failures.map(String) : []),
  ];
}
