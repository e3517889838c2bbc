/** What is measured on a way between two workers. */
export const metrics = {
  throughput: { title: "iperf3, Gbit/s", digits: 2, moreIsBetter: true },
  p50: { title: "request p50, µs", digits: 1, moreIsBetter: false },
  p99: { title: "p99, µs", digits: 1, moreIsBetter: false },
} as const;

type Metric = keyof typeof metrics;
export const metricNames = Object.keys(metrics) as Metric[];

/** One measurement of everything on one way. */
export type Sample = Record<Metric, number>;

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return (low! + high!) / 2;
}

/** The median of each metric. */
export const medians = (samples: readonly Sample[]): Sample =>
  Object.fromEntries(
    metricNames.map((metric) => [metric, median(samples.map((sample) => sample[metric]))]),
  ) as Sample;

/** A ratio over several rounds. */
interface Ratio {
  median: number;
  least: number;
  greatest: number;
}

/**
 * How many times as good one way is as another: as much throughput, or its inverse for time. Each round's medians are
 * compared with each other, since what else the machine does changes from round to round.
 */
export function ratio(rounds: readonly { of: Sample[]; to: Sample[] }[], metric: Metric): Ratio {
  const ratios = rounds.map(({ of, to }) => {
    const [ours, theirs] = [medians(of)[metric], medians(to)[metric]];
    return metrics[metric].moreIsBetter ? ours / theirs : theirs / ours;
  });
  return { median: median(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) };
}
