import assert from "node:assert/strict";
import { test } from "node:test";
import { Latencies } from "../../lib/kernel/latencies.ts";

test("latencies: what there was none of is zero", () => {
  const percentiles = { p50: 0, p95: 0, p99: 0, p999: 0 };
  assert.deepEqual(new Latencies().report, { min: 0, max: 0, count: 0, sum: 0, percentiles });
});

test("latencies: each percentile is the latency that so many did not exceed", () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 1000; ms++) latencies.add(ms);
  const percentiles = { p50: 500, p95: 950, p99: 990, p999: 999 };
  assert.deepEqual(latencies.report, { min: 1, max: 1000, count: 1000, sum: 500_500, percentiles });
});

test("latencies: beyond a second percentiles are the longest", () => {
  const latencies = new Latencies();
  for (const ms of [3, 5000, 7000]) latencies.add(ms);
  const percentiles = { p50: 7000, p95: 7000, p99: 7000, p999: 7000 };
  assert.deepEqual(latencies.report, { min: 3, max: 7000, count: 3, sum: 12_003, percentiles });
  latencies.reset();
  assert.equal(latencies.report.count, 0);
});
