using System.Diagnostics;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Networks;
using FewStep.Tests.Checkpoints;
using FewStep.Text;

namespace FewStep.Bench;

/// <summary>The network of ImageNet at 64x64 in its full size with random weights: written as a pickle of NVlabs/edm, and read, evaluated
/// and measured; and a few images to go with it.</summary>
internal static class FullSize
{
    private const string Usage = "full-size write FILE [--half] [--channels N] | full-size images FOLDER | full-size measure FILE "
        + "[--bfloat16] [--threads N] | full-size stable-diffusion FOLDER | full-size dit FOLDER | full-size t5 FOLDER | "
        + "full-size encode FOLDER [--widened] [--threads N]";
    private const int FullChannels = 192, Side = 64, Classes = 4, ImagesOfClass = 12;

    /// <summary>Runs one of them.</summary>
    /// <param name="words">Words after <c>full-size</c>.</param>
    public static int Run(string[] words)
    {
        switch (words)
        {
            case ["write", var path, ..]:
                // Fewer channels (64) make a network of the same build that takes a ninth of the memory.
                int channels = Array.IndexOf(words, "--channels") is > 0 and var at && at + 1 < words.Length
                    ? int.Parse(words[at + 1], NumberStyles.None, CultureInfo.InvariantCulture) : FullChannels;
                var options = new DhariwalUNetOptions
                { ImgResolution = Side, InChannels = 3, OutChannels = 3, LabelDim = 1000, ModelChannels = channels };
                long count = EdmPickleWriter.Write(path, options, seed: 1, half: words.Contains("--half"));
                Console.WriteLine(
                    string.Create(CultureInfo.InvariantCulture, $"{count:N0} parameters, {new FileInfo(path).Length:N0} bytes in {path}."));
                return 0;
            case ["images", var folder, ..]:
                WriteImages(folder);
                return 0;
            case ["stable-diffusion", var folder]:
                FullPipeline.WriteStableDiffusion(folder);
                return 0;
            case ["dit", var folder]:
                FullPipeline.WriteDiT(folder);
                return 0;
            case ["t5", var folder]:
                FullPipeline.WriteT5(folder);
                return 0;
            case ["encode", var folder, ..]:
                Encode(folder, words.Contains("--widened"));
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
            set_num_threads(threads);

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

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{source.Denoiser.CountMultiplyAdds() / 1e9:F1} billion multiply-adds in a forward pass of one image"));
    }

    // A text of Flux's length, by matrices as the file has them or, as a yardstick, all made float32 first.
    private static void Encode(string folder, bool widened)
    {
        if (BenchModel.Threads is int threads)
            set_num_threads(threads);
        using var noGradient = no_grad();
        using var generator = new Generator(1);
        using var ids = randint(0, 1000, [1, 512], dtype: ScalarType.Int64, generator: generator);
        Report("libtorch loaded", 0);
        using var encoder = TextEncoder.Open(folder);
        for (int pass = 1; pass <= 2; pass++)
        {
            var watch = Stopwatch.StartNew();
            using var scope = NewDisposeScope();
            var states = widened ? encoder.Network.Forward(
                ForwardPass.Over(encoder.Network.Layout, encoder.FlatWeights, ScalarType.Float32), ids, null, TextLayer.Last)
                : encoder.Encode(ids, TextLayer.Last);
            Report(pass == 1 ? "read, first text of 512 tokens" : "a further text", watch.Elapsed.TotalSeconds);
            float squares = states.Hidden.Squared().sum().item<float>(); // tells whether both ways give the same
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"sum of squares {squares:R}"));
        }
    }

    // Smooth pictures in two sizes, in folders by class, as photographs would lie.
    private static void WriteImages(string folder)
    {
        using var generator = new Generator(1);
        for (int label = 0; label < Classes; label++)
        {
            for (int i = 0; i < ImagesOfClass; i++)
            {
                using var scope = NewDisposeScope();
                var coarse = rand([1, 3, 3 + label, 4], generator: generator) * 2 - 1;
                long[] size = i % 2 == 0 ? [96, 128] : [120, 80];
                PngFile.WriteGrid(Path.Combine(folder, $"class{label}", $"{i:D2}.png"),
                    nn.functional.interpolate(coarse, size, mode: InterpolationMode.Bilinear, align_corners: false));
            }
        }

        Console.WriteLine($"{Classes * ImagesOfClass} images of {Classes} classes in {folder}.");
    }

    private static void Report(string what, double seconds)
        => Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{what}: {seconds:F2} s; peak memory so far {PeakMemory.Gigabytes():F2} GB"));
}
