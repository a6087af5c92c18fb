namespace FewStep.Load;

/// <summary>What clients saw.</summary>
/// <param name="Latencies">Seconds of each answered request, ascending.</param>
/// <param name="Refused">Requests answered by 503.</param>
internal sealed record LoadResult(int Clients, TimeSpan Duration, IReadOnlyList<double> Latencies, int Refused)
{
    public const string Heading = """
        | clients | images a second | p50, ms | p95, ms | p99, ms | refused |
        |---:|---:|---:|---:|---:|---:|
        """;

    public double PerSecond => Latencies.Count / Duration.TotalSeconds;

    /// <summary>The smallest latency that a share of the answered requests did not exceed; NaN where none was answered.</summary>
    public double Percentile(double share) => Latencies.Count == 0 ? double.NaN
        : Latencies[Math.Max(0, (int)Math.Ceiling(share * Latencies.Count) - 1)];

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"| {Clients} | {PerSecond:F0} | "
        + $"{1000 * Percentile(0.5):F0} | {1000 * Percentile(0.95):F0} | {1000 * Percentile(0.99):F0} | {Refused} |");
}
