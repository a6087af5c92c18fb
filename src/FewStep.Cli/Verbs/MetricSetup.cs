using System.CommandLine;
using FewStep.Cli.Terminal;
using FewStep.Denoising;
using FewStep.Metrics;

namespace FewStep.Cli.Verbs;

/// <summary>Feature networks and references for the metrics that a command line asks for. Owns them; dispose it.</summary>
internal sealed class MetricSetup : IDisposable
{
    private readonly List<IDisposable> _owned = [];

    private MetricSetup(MetricOptions options) => Options = options;

    /// <summary>How the metrics are computed.</summary>
    public MetricOptions Options { get; }

    /// <summary>What is compared with; null for nothing.</summary>
    public string? ReferenceName { get; private set; }

    /// <summary>One evaluation a feature network.</summary>
    public List<MetricEvaluation> Evaluations { get; } = [];

    /// <summary>What to know before believing the figures.</summary>
    public List<string> Warnings { get; } = [];

    /// <summary>Opens everything and measures the reference.</summary>
    /// <param name="options">The options.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="shape">Shape of the images that will be measured.</param>
    /// <param name="model">The folder or file of the model that makes them; null for stored images.</param>
    /// <param name="terminal">Told how far it has come.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="Platform.InvalidInputException">Weights or reference are missing or do not fit.</exception>
    public static MetricSetup Open(EvaluateOptions options, ParseResult parsed, ImageShape shape, string? model, TerminalOutput terminal, CancellationToken cancellation)
    {
        var setup = new MetricSetup(options.Metrics.Options(parsed, parsed.GetValue(options.Seed)));
        try
        {
            var wanted = options.Metrics.Wanted(parsed);
            // All networks first: a missing weight file shows before the reference is read.
            var networks = wanted.Select(w => (Network: setup.Keep(options.Metrics.Network.Open(w.Key, parsed, shape, model)), Metrics: w.Value)).ToList();
            using var place = ReferencePlace.Open(options, parsed, wanted.Values.Any(m => m.Any(x => x != ImageMetric.ClassScore)), terminal.Progress, cancellation);
            setup.ReferenceName = place.Name;
            foreach (var (network, metrics) in networks)
            {
                var reference = setup.Keep(place.Features(network, metrics, setup.Options, options.BatchSize(parsed), terminal.Progress, cancellation));
                setup.Evaluations.Add(new MetricEvaluation(network, reference, metrics, setup.Options));
                if (network is InceptionFeatures { Remark: string remark })
                {
                    setup.Warnings.Add(remark);
                }
            }

            return setup;
        }
        catch
        {
            setup.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _owned.ForEach(o => o.Dispose());

    private T Keep<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }
}
