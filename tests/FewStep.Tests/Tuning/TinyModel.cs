using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Tests.Data;

namespace FewStep.Tests.Tuning;

/// <summary>A network that is trained in seconds. Untrained, its output is all but 0, so that it is the exact denoiser of data N(0,
/// sigma_data^2 I).</summary>
internal static class TinyModel
{
    public const double SigmaData = 0.5;

    public static ImageShape Shape { get; } = new(1, 8, 8);

    public static SamplingSchedule Schedule { get; } = new([80, 5, 0.8, 0.002]);

    public static Sampler Sampler { get; } = new(Schedule, FewStep.Solvers.SolverCatalog.Find("euler"));

    public static ModelConfig Config(int classes = 0) => new()
    {
        Shape = Shape,
        Classes = classes,
        Preconditioning = new PreconditioningConfig { SigmaData = SigmaData },
        Network = new SongUNetOptions
        {
            ImgResolution = 8,
            InChannels = 1,
            OutChannels = 1,
            LabelDim = classes,
            ModelChannels = 4,
            ChannelMult = [1],
            NumBlocks = 1,
            AttnResolutions = [],
            Dropout = 0,
        },
    };

    public static NetworkDenoiser Create(int classes = 0, long seed = 1) => ModelFolder.Initialize(Config(classes), seed);

    /// <summary>Weights beside these, which change what the network says.</summary>
    public static Tensor Perturbed(Tensor weights)
    {
        using var generator = new Generator(5);
        return weights.detach() + (randn(weights.shape, generator: generator) * 0.05);
    }

    /// <summary>Images of noise around a grey of their own.</summary>
    public static ListImageSet Images(int count, int seed, bool labelled = false)
    {
        var random = new Random(seed);
        byte[] Image()
        {
            int grey = random.Next(50, 200);
            return [.. Enumerable.Range(0, 64).Select(_ => (byte)(grey + random.Next(-40, 40)))];
        }

        return new ListImageSet(Shape, [.. Enumerable.Range(0, count).Select(_ => Image())],
            labelled ? [.. Enumerable.Range(0, count).Select(i => i % 2)] : null);
    }
}
