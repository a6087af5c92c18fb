using FewStep.Metrics;
using FewStep.Sampling;

namespace FewStep.Matching;

/// <summary>How samplers are matched to real images.</summary>
internal sealed record MatchOptions
{
    /// <summary>The network at a path: a classifier's folder, or a file of Inception-v3's weights.</summary>
    public static MatchOptions By(string path) =>
        File.Exists(path) ? new MatchOptions { Inception = path } : new MatchOptions { Classifier = path };

    /// <summary>Folder of the classifier by whose features images are compared; null (default) for Inception-v3's. Whatever judges the
    /// samplers afterwards should be another network.</summary>
    public string? Classifier { get; init; }

    /// <summary>File of Inception-v3's weights, in place of <see cref="Classifier"/>.</summary>
    public string? Inception { get; init; }

    /// <summary>Most iterations, 1 or more; default 8. It ends sooner where one gains less than half a percent.</summary>
    public int Iterations { get; init; } = 8;

    /// <summary>Most real images, 256 or more; default 10,000. Of a model with classes, each class counts alike.</summary>
    public int Images { get; init; } = 10_000;

    /// <summary>Latents whose images are matched, 256 or more; default 2,048. Of few, the covariance is so uncertain that less of it looks
    /// better.</summary>
    public int Latents { get; init; } = UsualLatents;

    /// <summary>Further latents that judge each iteration, 256 or more; default 1,024.</summary>
    public int HeldOutLatents { get; init; } = 1024;

    /// <summary>Weight of the images' finest detail, 0 to 1000: it counts as much as so many features of the network; default 1. At 0 grain
    /// may stand in for detail that few steps lose; more makes clean images at some Fréchet distance.</summary>
    public double Detail { get; init; } = UsualDetail;

    /// <summary>Class of all latents and real images, -1 for none; null (default) for all classes in turn.</summary>
    public long? Label { get; init; }

    /// <summary>Latents in one call of the denoiser, 1 or more; default 64. It changes speed and memory, and the samplers only as far as
    /// the network's rounding does.</summary>
    public int BatchSize { get; init; } = 64;

    public const int LeastImages = 256, UsualLatents = 2048;
    public const double UsualDetail = 1;

    /// <summary>Opens the network by whose features images are compared.</summary>
    /// <returns>The network; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">It cannot be read, or takes images of another shape.</exception>
    public IClassScorer OpenFeatures(ImageShape shape, TorchSharp.torch.Device device) => Inception is { } file
        ? InceptionFeatures.Load(file, shape, device) : FeatureClassifierFolder.LoadFor(Classifier!, shape, device);

    public MatchOptions Checked() => new OptionRules("The match cannot start")
        .Require(Classifier is null != Inception is null,
            $"one network must say how images are compared: a classifier (train one with train-classifier), or Inception-v3")
        .Require(Iterations is >= 1 and <= 1000, $"iterations must be 1 to 1000, not {Iterations}")
        .Require(Images >= LeastImages, $"there must be at least {LeastImages} real images, not {Images}")
        .Require(Latents >= LeastImages && HeldOutLatents >= LeastImages,
            $"there must be at least {LeastImages} latents and {LeastImages} that judge, not {Latents} and {HeldOutLatents}")
        .Require(Latents <= SeedPlan.SearchedInARun && HeldOutLatents <= SeedPlan.SearchedInARun - Latents,
            $"{Latents} and {HeldOutLatents} latents are more than a run's searches have seeds for ({SeedPlan.SearchedInARun})")
        .Require(Detail is >= 0 and <= 1000, $"the weight of the finest detail must be 0 to 1000, not {Detail}")
        .Require(BatchSize >= 1, $"the batch size must be at least 1, not {BatchSize}")
        .Check(this);
}
