using System.Diagnostics;
using System.Globalization;
using FewStep.Checkpoints;
using FewStep.Networks;
using FewStep.Tests.Checkpoints;
using static TorchSharp.torch;

namespace FewStep.Bench;

/// <summary>The network of ImageNet at 64x64 in its full size with random weights: written as a pickle of NVlabs/edm, and read, evaluated and measured.</summary>
internal static class FullSize
{
    private const string Usage = "full-size write FILE [--half] | full-size measure FILE [--bfloat16] [--threads N]";

    /// <summary>Runs one of the two.</summary>
    /// <param name="words">Words after <c>full-size</c>.</param>
    public static int Run(string[] words)
    {
        switch (words)
        {
            case ["write", var path, ..]:
                var options = new DhariwalUNetOptions { ImgResolution = 64, InChannels = 3, OutChannels = 3, LabelDim = 1000 };
                long count = EdmPickleWriter.Write(path, options, seed: 1, half: words.Contains("--half"));
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count:N0} parameters, {new FileInfo(path).Length:N0} bytes in {path}."));
                return 0;
            case ["measure", var path, ..]:
                Measure(path, words.Contains("--bfloat16") ? ScalarType.BFloat16 : ScalarType.Float32);
                return 0;
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }

    private static void Measure(string path, ScalarType type)
    {
        if (BenchModel.Threads is int threads)
        {
            set_num_threads(threads);
        }

        using (zeros(1))
        {
            Report("libtorch loaded", 0); // what is there without any model
        }

        var watch = Stopwatch.StartNew();
        using var source = ModelSource.Open(path);
        Report($"read ({new FileInfo(path).Length / 1e9:F2} GB, {source.Denoiser.Layout.Count:N0} parameters)", watch.Elapsed.TotalSeconds);
        source.Denoiser.ComputeType = type;
        using var generator = new Generator(1);
        using var x = randn(source.Config.Shape.Batch(1), generator: generator);
        using var sigma = ones(1);
        using var label = zeros(1, ScalarType.Int64);
        for (int pass = 1; pass <= 2; pass++)
        {
            watch.Restart();
            using var denoised = source.Denoiser.Denoise(x, sigma, label);
            bool finite = denoised.isfinite().all().item<bool>();
            Report($"forward {pass}, one image, {type}{(finite ? "" : ", NOT finite")}", watch.Elapsed.TotalSeconds);
        }
    }

    private static void Report(string what, double seconds)
        => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {seconds:F2} s; peak memory so far {PeakGigabytes():F2} GB"));

    // Linux counts the largest resident size of a process; elsewhere the runtime's own figure serves.
    private static double PeakGigabytes()
    {
        string? line = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
        return line is null
            ? Process.GetCurrentProcess().PeakWorkingSet64 / 1e9
            : double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e9;
    }
}
