/*
 * Loaded into `serve` by NODE_OPTIONS=--import, for its store's thread: an operation begins when the one before it is committed. What group commit
 * gains is the difference.
 */
import { isMainThread } from 'node:worker_threads';
import { GroupWriter } from '../src/storage/postgres/group-writer.ts';
import { SqliteStore } from '../src/storage/sqlite/sqlite-store.ts';

type Step = (done: () => void) => void;

/** Runs steps one after the other. */
function queue(): (step: Step) => void {
  const steps: Step[] = [];
  const next = () =>
    steps[0]?.(() => {
      steps.shift();
      next();
    });
  return (step) => {
    if (steps.push(step) === 1) next();
  };
}

function patch(): void {
  const enqueue = queue();
  const sqlite = SqliteStore.prototype;
  const { perform } = sqlite;
  sqlite.perform = function (this: SqliteStore, calls, answer) {
    for (const call of calls) {
      enqueue((done) =>
        perform.call(this, [call], (replies) => {
          answer(replies);
          done();
        }),
      );
    }
  };
  const postgres = GroupWriter.prototype;
  const performOne = postgres.perform;
  postgres.perform = function (this: GroupWriter, call, answer) {
    enqueue((done) =>
      performOne.call(this, call, (reply) => {
        answer(reply);
        done();
      }),
    );
  };
}

if (!isMainThread) patch();
