import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SourceLimit } from './source-limit.ts';

const limit = { burst: 2, count: 1, periodSeconds: 60 };

suite('a limit of what goes wrong for a source', () => {
  test('lets the burst pass, then one each interval', () => {
    const limited = new SourceLimit(() => limit);
    for (const now of [0, 1]) assert.ok(limited.take('192.0.2.1', now));
    assert.equal(limited.take('192.0.2.1', 2), false);
    assert.ok(limited.take('192.0.2.1', 60_001));
    assert.equal(limited.take('192.0.2.1', 60_002), false);
  });

  test('is of one IPv4 address, or one /64', () => {
    const limited = new SourceLimit(() => ({ ...limit, burst: 1 }));
    for (const address of ['192.0.2.1', '2001:db8::1', '192.0.2.2', '2001:db8:0:1::1']) {
      assert.ok(limited.take(address, 0));
    }
    assert.equal(limited.take('2001:db8::2', 0), false);
  });

  test('what is given back was not taken, and a limit that was changed counts at once', () => {
    let inForce = { ...limit, burst: 1 };
    const limited = new SourceLimit(() => inForce);
    for (let asked = 0; asked < 5; asked += 1) {
      assert.ok(limited.take('192.0.2.1', 0));
      limited.giveBack('192.0.2.1');
    }
    assert.ok(limited.take('192.0.2.1', 0));
    assert.equal(limited.take('192.0.2.1', 0), false);
    inForce = { ...limit, burst: 5 };
    assert.ok(limited.take('192.0.2.1', 0));
  });

  test('of ten thousand sources the newest are remembered', () => {
    const limited = new SourceLimit(() => ({ ...limit, burst: 1 }));
    const address = (n: number) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`;
    for (let n = 0; n <= 10_000; n += 1) assert.ok(limited.take(address(n), 0));
    assert.equal(limited.take(address(1), 0), false);
    assert.equal(limited.take(address(10_000), 0), false);
    assert.ok(limited.take(address(0), 0));
  });
});
