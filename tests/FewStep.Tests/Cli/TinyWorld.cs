using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Networks;
using FewStep.Tests.Metrics;

namespace FewStep.Tests.Cli;

/// <summary>A random model, images and a random classifier on disk, all of 8x8 pixels and 4 classes.</summary>
public sealed class TinyWorld : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("fewstep-cli-").FullName;

    public TinyWorld()
    {
        WriteModel(Model, 1);
        WriteModel(Tuned, 2);
        foreach (var (name, seed) in new[] { ("train", 1L), ("t10k", 2L) })
        {
            using var images = new StripedImages(60, seed);
            IdxWriter.Write(Path.Combine(Data, $"{name}-images-idx3-ubyte.gz"), images);
        }

        using var classifier = new FeatureClassifier(
            new ClassifierConfiguration(new ImageShape(1, 8, 8), 4, [8], 1, "FD (stripes)") { FeatureName = "stripes" }, 3);
        FeatureClassifierFolder.Save(classifier, Classifier);
    }

    public string Model => At("model");

    public string Tuned => At("tuned");

    public string Data => At("data");

    public string Classifier => At("classifier");

    public string At(params string[] path) => Path.Combine([_root, .. path]);

    public string Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }

    /// <summary>A model folder with random weights, or one of them another value.</summary>
    public static string WriteModel(string folder, long seed, float? first = null, int channels = 1)
    {
        var config = new ModelConfig
        {
            Name = "tiny",
            Shape = new ImageShape(channels, 8, 8),
            Classes = 4,
            ClassNames = ["bars", "Rows", "wide bars", "wide rows"],
            Preconditioning = new PreconditioningConfig(),
            Network = new SongUNetOptions
            {
                ImgResolution = 8,
                InChannels = channels,
                OutChannels = channels,
                LabelDim = 4,
                ModelChannels = 16,
                ChannelMult = [1],
                NumBlocks = 1,
                AttnResolutions = [],
                Dropout = 0
            },
        };
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        using var denoiser = ModelFolder.Initialize(config, seed);
        // Fresh networks end in zeros, with which every model is the same.
        var weights = denoiser.Weights + randn(denoiser.Weights.shape, generator: generator) * 0.1;
        if (first is float value)
            weights[0] = value;
        ModelFolder.Write(folder, config, denoiser, weights);
        return folder;
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
