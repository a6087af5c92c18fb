namespace FewStep.Denoising;

/// <summary>How fast a denoiser is on this machine, to say before long work how long it takes.</summary>
internal static class EvaluationSpeed
{
    private const int MostImages = 16, MostCalls = 16;

    // The first calls compile, choose kernels and wake threads up.
    private static readonly TimeSpan EnoughTime = TimeSpan.FromSeconds(1);

    /// <summary>Measures a few batches, of which the fastest counts.</summary>
    /// <returns>Network evaluations a second.</returns>
    public static double Measure(IDenoiser denoiser, int batch)
    {
        using var scope = NewDisposeScope();
        using var inference = no_grad();
        int images = Math.Min(batch, MostImages);
        var x = TensorArithmetic.Full(denoiser.Shape.Batch(images), 0.5, float32, denoiser.Device);
        var labels = denoiser.Classes > 0 ? zeros(images, dtype: int64, device: denoiser.Device) : null;
        var counted = new CountingDenoiser(denoiser);
        double sigma = Math.Sqrt(denoiser.SigmaMin * denoiser.SigmaMax);
        double best = 0;
        var all = Stopwatch.StartNew();
        for (int call = 0; call < 2 || (call < MostCalls && all.Elapsed < EnoughTime); call++)
        {
            long before = counted.Images;
            var one = Stopwatch.StartNew();
            counted.DenoiseAt(x, sigma, labels).sum().item<float>(); // the sum waits for the device
            best = Math.Max(best, (counted.Images - before) / one.Elapsed.TotalSeconds);
        }

        return best;
    }
}
