import { describe, expect, it, test } from "vitest";
import { median, medians, ratio, type Sample } from "../../../lab/bench/ratios.ts";

const sample = (throughput: number, p50: number): Sample => ({ throughput, p50, p99: 100 });

test.each([
  [[3], 3],
  [[5, 1, 2], 2],
  [[10, 9, 1, 2], 5.5],
])("the median of %j is %d", (numbers, middle) => {
  expect(median(numbers)).toBe(middle);
});

test("a sample's metrics have their medians apart from each other", () => {
  expect(medians([sample(1, 30), sample(2, 10), sample(3, 20)])).toEqual(sample(2, 20));
});

describe("a ratio", () => {
  const rounds = [
    { of: [sample(6, 20)], to: [sample(2, 40)] },
    { of: [sample(8, 10)], to: [sample(2, 40)] },
    { of: [sample(1, 80)], to: [sample(2, 40)] },
  ];

  it("says how many times as much arrives, from the rounds' own ratios", () => {
    expect(ratio(rounds, "throughput")).toEqual({ median: 3, least: 0.5, greatest: 4 });
  });

  it("says how many times less a request takes", () => {
    expect(ratio(rounds, "p50")).toEqual({ median: 2, least: 0.5, greatest: 4 });
  });
});
