using System.CommandLine;
using FewStep.Cli.Terminal;
using FewStep.Data;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Search;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep evaluate</c> with <c>--metrics</c> or <c>--images</c>: several metrics of stored images, or of samples.</summary>
internal static class MetricsRun
{
    /// <summary>Measures and writes <c>image-metrics.json</c>.</summary>
    /// <param name="options">The options.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="folder">Where results go.</param>
    /// <param name="terminal">Told how far it has come.</param>
    /// <param name="cancellation">Stops it; a repeated command goes on with the samples.</param>
    /// <exception cref="InvalidInputException">Weights, images or reference are missing or do not fit.</exception>
    public static ImageMetricsSummary Run(EvaluateOptions options, ParseResult parsed, string folder, TerminalOutput terminal, CancellationToken cancellation)
    {
        var started = DateTimeOffset.UtcNow;
        var summary = parsed.GetValue(options.Metrics.Images) is string images
            ? OfImages(images, options, parsed, started, terminal, cancellation)
            : OfSamples(folder, options, parsed, started, terminal, cancellation);
        JsonFile.Write(Path.Combine(folder, ImageMetricsSummary.FileName), summary);
        return summary;
    }

    private static ImageMetricsSummary OfImages(string path, EvaluateOptions options, ParseResult parsed, DateTimeOffset started, TerminalOutput terminal, CancellationToken cancellation)
    {
        if (parsed.GetResult(options.Model) is { Implicit: false })
        {
            throw new InvalidInputException("--images measures stored images, so --model has no use; leave one of them out.");
        }

        int subsets = options.SeedRanges(parsed).Count, batch = options.BatchSize(parsed);
        using var images = ImageSets.Open(path, null, terminal.Progress, cancellation);
        using var setup = MetricSetup.Open(options, parsed, images.Shape, model: null, terminal, cancellation);
        var figures = setup.Evaluations.SelectMany(e => e.Measure(images, subsets, batch, terminal.Progress, cancellation)).ToList();
        return Summary($"{images.Count} images of {path}", setup, [new ImageMetricsRow(path, figures, images.Hash)], CommandLineManifest.Create(parsed, started, parsed.GetValue(options.Seed), parsed.GetValue(options.Dtype)));
    }

    private static ImageMetricsSummary OfSamples(string folder, EvaluateOptions options, ParseResult parsed, DateTimeOffset started, TerminalOutput terminal, CancellationToken cancellation)
    {
        var (request, ranges) = (options.Request(parsed), options.SeedRanges(parsed));
        int batch = options.BatchSize(parsed);
        using var models = ComparedModels.Open(parsed.GetRequiredValue(options.Model), options.ReadModel(parsed));
        using var setup = MetricSetup.Open(options, parsed, models.First.Config.Shape, models.First.Path, terminal, cancellation);
        var plan = EvaluationPlan.Create(request, models, Curve(request, models, folder, options, parsed, terminal, cancellation), model => $"{model.Hash} {model.NumberFormat}");
        var sampled = new SampledMetrics(setup.Evaluations, ranges) { BatchSize = batch, Store = ImageMetricsStore.Open(Path.Combine(folder, ImageMetricsStore.Name)) };
        var rows = sampled.Run(plan.Cells, terminal.Progress, cancellation);
        return Summary($"{ranges.Count} x {ranges[0].Count} samples of {models.First.Config.Name}", setup, rows, CommandLineManifest.Create(parsed, started, parsed.GetValue(options.Seed), models.First.NumberFormat!, models.First.Denoiser.Device));
    }

    private static LossCurve? Curve(EvaluationRequest request, ComparedModels models, string folder, EvaluateOptions options, ParseResult parsed, TerminalOutput terminal, CancellationToken cancellation)
    {
        if (parsed.GetValue(options.Curve) is string file)
        {
            return LossCurveFile.ReadFor(file, models.First.Hash);
        }

        if (!request.NeedsCurve)
        {
            return null;
        }

        // With a reference of its own --data need not have splits.
        string data = parsed.GetRequiredValue(options.Data);
        using var training = ImageSets.Open(data, parsed.GetValue(options.Reference) is null ? DataSplit.Train : null, terminal.Progress, cancellation);
        if (training.Shape != models.First.Config.Shape)
        {
            throw new InvalidInputException($"The model makes images of {models.First.Config.Shape}, but the training images of {data} are {training.Shape}; Phase 1 needs --data of that shape, or --curve.");
        }

        var store = EvaluationStore.Open(Path.Combine(folder, EvaluationStore.Name));
        return KeptLossCurve.Get(folder, store, models.First, training, options.CurveFlags.Read(parsed) with { Seed = parsed.GetValue(options.Seed), Steps = request.Steps }, terminal.Progress, cancellation);
    }

    private static ImageMetricsSummary Summary(string title, MetricSetup setup, IReadOnlyList<ImageMetricsRow> rows, ManifestSummary manifest) => new()
    {
        Title = title,
        Reference = setup.ReferenceName,
        Rows = rows,
        Options = setup.Options,
        Manifest = manifest,
        Warnings = setup.Warnings,
    };
}
