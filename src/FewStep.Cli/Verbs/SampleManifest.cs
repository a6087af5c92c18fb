namespace FewStep.Cli.Verbs;

/// <summary>What <c>fewstep sample</c> says of its images: <c>manifest.json</c> beside them, and its JSON output.</summary>
internal sealed record SampleManifest
{
    public const string Name = "manifest.json";

    /// <summary>SHA-256 of what makes an image of a seed, or of a latent: model, number format, sampler and options.</summary>
    public required string Identity { get; init; }

    public required ModelSummary Model { get; init; }
    public required string Schedule { get; init; }
    public required int Steps { get; init; }
    public required IReadOnlyList<double> Sigmas { get; init; }
    public required ScheduleTerminal Terminal { get; init; }
    public required string Solver { get; init; }
    public StochasticChurn? Churn { get; init; }
    public bool AnalyticalFirstStep { get; init; }
    public string? Seeds { get; init; }
    public string? Latents { get; init; }
    public required string Labels { get; init; }
    public required int Images { get; init; }
    public required double EvaluationsPerImage { get; init; }
    public required long NetworkEvaluations { get; init; }
    public required double Seconds { get; init; }
    public required string Dtype { get; init; }
    public string? Folder { get; init; }
    public string? Grid { get; init; }
    public string? Output { get; init; }
    public required ManifestSummary Run { get; init; }
}
