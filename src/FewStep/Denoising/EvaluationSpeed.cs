namespace FewStep.Denoising;

/// <summary>How fast a denoiser is on this machine, to say before long work how long it takes.</summary>
internal static class EvaluationSpeed
{
    private const int MostImages = 16;

    /// <summary>Measures one batch, after one that warms up.</summary>
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
        Evaluate();
        long before = counted.Images;
        var watch = Stopwatch.StartNew();
        Evaluate();
        return (counted.Images - before) / watch.Elapsed.TotalSeconds;

        // The sum waits for the device.
        void Evaluate() => counted.DenoiseAt(x, sigma, labels).sum().item<float>();
    }
}
