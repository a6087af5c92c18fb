using System.Diagnostics;
using FewStep.Onnx;
using FewStep.Sampling;

namespace FewStep.Bench;

/// <summary>Images per second of a sampler that was exported to ONNX, in ONNX Runtime, against the library with as many threads; the rounds
/// of both take turns.</summary>
internal static class OnnxSpeed
{
    private const string Usage = "onnx [--model MODEL] [--sampler S/S/N] [--batch N] [--rounds N] [--threads N]";
    private const double Million = 1e6;

    /// <summary>Measures and prints.</summary>
    /// <param name="words">Words after <c>onnx</c>.</param>
    public static int Run(string[] words)
    {
        string? Value(string name) => Array.IndexOf(words, name) is >= 0 and int at && at + 1 < words.Length ? words[at + 1] : null;
        int Number(string name, int usual) => Value(name) is not string text ? usual
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int n) && n > 0 ? n : 0;
        int batch = Number("--batch", 64), rounds = Number("--rounds", 5);
        if (batch == 0 || rounds == 0)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        string file = Path.Combine(Path.GetTempPath(), $"fewstep-bench-{Guid.NewGuid():N}.onnx");
        try
        {
            Measure(Value("--model") ?? Path.Combine(AppContext.BaseDirectory, "models", "fashion-mnist"),
                Value("--sampler") ?? "karras/ipndm:3/4", file, batch, rounds);
            return 0;
        }
        catch (InvalidInputException e)
        {
            Console.Error.WriteLine(e.Message);
            return 2;
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void Measure(string path, string samplerText, string file, int batch, int rounds)
    {
        int threads = BenchModel.Threads ?? get_num_threads();
        using var single = Model.Open(path, new() { ComputeType = ScalarType.Float32, Device = DeviceChoice.Cpu, Threads = threads });
        var sampler = single.CreateSampler(samplerText);
        var written = OnnxExport.WriteSampler(single, sampler, file);
        var loading = Stopwatch.StartNew();
        using var exported = OnnxSampler.TryOpen(file, threads)!;
        loading.Stop();
        using var latents = Latents.Draw([.. Enumerable.Range(0, batch).Select(i => (long)i)], single.Shape);
        using var labels = SeedLabels.For([.. Enumerable.Range(0, batch).Select(i => (long)i)], single.Classes);
        (string Name, Func<Tensor> Sample)[] ways =
        [
            ("library, float32", () => new SamplingLoop(single.Denoiser, sampler.Solver, sampler.Schedule).Sample(latents, labels).Samples),
            ("ONNX Runtime, float32", () => exported.Sample(latents, labels)),
        ];
        var best = new double[ways.Length];
        for (int round = 0; round <= rounds; round++)
        {
            for (int i = 0; i < ways.Length; i++)
            {
                using var scope = NewDisposeScope();
                var time = Stopwatch.StartNew();
                ways[i].Sample();
                if (round > 0) // the first prepares
                    best[i] = Math.Max(best[i], batch / time.Elapsed.TotalSeconds);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sampler} of {single.Name}, {written.Evaluations} evaluations an "
            + $"image, batch {batch}, {threads} threads, best of {rounds} rounds; the file has {written.Bytes / Million:F2} MB and "
            + $"loads in {loading.Elapsed.TotalSeconds:F2} s."));
        for (int i = 0; i < ways.Length; i++)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{ways[i].Name,-24} {best[i],8:F1} images a second, {best[i] * written.Evaluations,9:F0} evaluations a second, "
                    + $"{best[i] / best[0],5:F2} of the library's float32"));
        }
    }
}
