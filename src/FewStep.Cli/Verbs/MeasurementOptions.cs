using FewStep.Models;
using System.CommandLine;
using FewStep.Metrics;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Sampling;

namespace FewStep.Cli.Verbs;

/// <summary>Options of the verbs that measure samples: real images, feature network, seeds, and how to sample.</summary>
/// <param name="samples">Default number of images in a seed range.</param>
internal abstract class MeasurementOptions(int samples)
{
    public Option<string> Data { get; } = SharedOptions.Data();

    public Option<string?> Reference { get; } = new("--reference") { Description = "Real images to compare with; left out, the test split of --data.", HelpName = "path" };

    public ClassifierFlag Classifier { get; } = new("Folder of the classifier whose features define the distance.");

    public Option<string?> Curve { get; } = new("--curve") { Description = "A loss-curve.json to use instead of measuring one.", HelpName = "file" };

    public LossCurveFlags CurveFlags { get; } = new();

    /// <summary>Guidance, and what an ONNX file leaves open.</summary>
    public ModelFlags About { get; } = new();

    public Option<int> Batch { get; } = new("--batch") { Description = "Images sampled at a time.", DefaultValueFactory = _ => 100 };

    public Option<TorchSharp.torch.ScalarType> Dtype { get; } = SharedOptions.Dtype();

    public Option<long> Seed { get; } = SharedOptions.Seed();

    public Option<int> Threads { get; } = SharedOptions.Threads();

    public Option<bool> Json { get; } = SharedOptions.Json();

    private Option<int> Samples { get; } = new("--samples") { Description = "Images in a seed range; distances compare only at the same number.", DefaultValueFactory = _ => samples };

    private Option<int> Ranges { get; } = new("--ranges") { Description = "Disjoint seed ranges, whose spread is reported.", DefaultValueFactory = _ => 3 };

    private Option<long> FirstSeed { get; } = new("--first-seed") { Description = "Seed of the first image.", DefaultValueFactory = _ => 0 };

    private Option<string> StripSeeds { get; } = new("--strip-seeds") { Description = "Image seeds shown in the report; 'none' for no images.", DefaultValueFactory = _ => "0-9", HelpName = "list" };

    /// <summary>The seed ranges.</summary>
    /// <exception cref="InvalidInputException">They are impossible.</exception>
    public IReadOnlyList<SeedRange> SeedRanges(ParseResult parsed)
    {
        var (samples, ranges, first) = (parsed.GetValue(Samples), parsed.GetValue(Ranges), parsed.GetValue(FirstSeed));
        if (samples < 2 || ranges is < 1 or > 1000 || first < 0 || first > Latents.MaximumSeed - ((long)samples * ranges) + 1)
        {
            throw new InvalidInputException(
                $"--samples {samples} --ranges {ranges} --first-seed {first}: a range needs 2 or more images, there are 1 to 1000 ranges, and seeds are 0 to {Latents.MaximumSeed}.");
        }

        return SeedRange.Consecutive(first, samples, ranges);
    }

    /// <summary>The seeds to show; empty for none.</summary>
    /// <exception cref="InvalidInputException">They are too many.</exception>
    public IReadOnlyList<long> Shown(ParseResult parsed)
    {
        string text = parsed.GetRequiredValue(StripSeeds);
        if (text == "none")
        {
            return [];
        }

        var seeds = SeedList.Parse(text);
        return seeds.Count <= ImageStrip.MaximumImages ? seeds : throw new InvalidInputException($"--strip-seeds: at most {ImageStrip.MaximumImages} images fit side by side, not {seeds.Count}.");
    }

    /// <summary>Refuses a batch of no images.</summary>
    /// <exception cref="InvalidInputException">It is below 1.</exception>
    public int BatchSize(ParseResult parsed) => parsed.GetValue(Batch) is >= 1 and int batch ? batch : throw new InvalidInputException($"--batch {parsed.GetValue(Batch)} must be 1 or more.");

    /// <summary>What is said about the model.</summary>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public ModelOptions ReadModel(ParseResult parsed) => About.Read(parsed, parsed.GetValue(Dtype), parsed.GetValue(Threads));

    /// <summary>Adds the shared options to a verb, after its own.</summary>
    protected void AddSharedTo(Command command)
    {
        foreach (var option in new Option[] { Samples, Ranges, FirstSeed, Data, Reference, Classifier.Option, StripSeeds, Batch, Dtype, Seed, Threads, Json, Curve })
        {
            command.Add(option);
        }

        foreach (var option in About.All)
        {
            command.Add(option);
        }

        CurveFlags.AddTo(command);
    }
}
