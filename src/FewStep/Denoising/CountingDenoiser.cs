namespace FewStep.Denoising;

/// <summary>Passes every call to another denoiser and counts it, so that network evaluations are measured and never derived.</summary>
/// <remarks>A denoiser that counts its own evaluations (<see cref="IEvaluationCount"/>: guidance) costs what it says, every other one
/// evaluation an image.</remarks>
/// <param name="inner">The denoiser that does the work; not disposed here.</param>
internal sealed class CountingDenoiser(IDenoiser inner) : IEvaluationCount
{
    private long _images;

    /// <summary>Images evaluated so far.</summary>
    public long Images => Interlocked.Read(ref _images);

    public IDenoiser Inner => inner;
    public ImageShape Shape => inner.Shape;
    public Device Device => inner.Device;
    public int Classes => inner.Classes;
    public double SigmaMin => inner.SigmaMin;
    public double SigmaMax => inner.SigmaMax;
    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) => Denoise(x, sigma, labels, out _);

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels, out long cost)
    {
        cost = x.shape[0];
        var denoised = inner is IEvaluationCount own ? own.Denoise(x, sigma, labels, out cost) : inner.Denoise(x, sigma, labels);
        Interlocked.Add(ref _images, cost);
        return denoised;
    }
}

/// <summary>A denoiser made of others, which counts its own network evaluations: one of its calls may take several, or different numbers
/// for different images.</summary>
internal interface IEvaluationCount : IDenoiser
{
    /// <summary>Denoises as <see cref="IDenoiser.Denoise"/> does.</summary>
    /// <param name="cost">Network evaluations of this call, one for each image, whoever else calls at the same time.</param>
    Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels, out long cost);
}
