using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Bench;

/// <summary>The embedded model; without a weights file the same architecture with random weights, which takes as long.</summary>
internal static class BenchModel
{
    /// <summary>libtorch's threads; null for its own choice.</summary>
    public static int? Threads { get; set; }

    public static NetworkDenoiser Open(ScalarType computeType)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "models", "fashion-mnist");
        var denoiser = File.Exists(Path.Combine(folder, ModelFolder.WeightsName))
            ? ModelFolder.Read(folder).Denoiser
            : ModelFolder.Initialize(JsonFile.Read<ModelConfig>(Path.Combine(folder, ModelFolder.ConfigName)), seed: 0);
        denoiser.ComputeType = computeType;
        if (Threads is int threads)
            set_num_threads(threads);

        return denoiser;
    }

    public static Tensor Images(NetworkDenoiser denoiser, int count)
    {
        using var generator = new Generator(1);
        return randn(denoiser.Shape.Batch(count), generator: generator);
    }

    public static Tensor Labels(NetworkDenoiser denoiser, int count)
    {
        using var generator = new Generator(2);
        return randint(0, denoiser.Classes, [count], dtype: ScalarType.Int64, generator: generator);
    }
}
