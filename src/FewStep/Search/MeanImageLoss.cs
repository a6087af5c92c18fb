namespace FewStep.Search;

/// <summary>The loss of a denoiser that always answers with the mean image: the images' variance about it, which a model that has learnt
/// anything stays below at every noise level.</summary>
internal sealed class MeanImageLoss : IDisposable
{
    private Tensor? _sum;
    private Tensor? _squares;
    private long _images;

    /// <summary>Adds images, one by one, so that the result does not depend on how they are batched.</summary>
    /// <param name="images">Images [B,C,H,W], float32; not owned.</param>
    public void Add(Tensor images)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        for (long i = 0; i < images.shape[0]; i++)
        {
            var image = images[i].to(float64);
            _sum ??= zeros_like(image).DetachFromDisposeScope();
            _squares ??= zeros_like(image).DetachFromDisposeScope();
            _sum.Plus_(image);
            _squares.addcmul_(image, image, TensorArithmetic.One);
            _images++;
        }
    }

    /// <summary>The images' sum and the sum of their squares, float64; stay here.</summary>
    public (Tensor Sum, Tensor Squares) Sums => (_sum!, _squares!);

    /// <summary>Adds other images by their sums, which stay the caller's.</summary>
    public void Join(Tensor sum, Tensor squares, long images)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        _sum ??= zeros_like(sum).DetachFromDisposeScope();
        _squares ??= zeros_like(squares).DetachFromDisposeScope();
        _sum.Plus_(sum);
        _squares.Plus_(squares);
        _images += images;
    }

    /// <summary>The unbiased variance of a pixel, averaged over the pixels. Needs two images or more.</summary>
    public double Value()
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        return (_squares! - _sum!.Squared().Over(_images)).mean().item<double>() / (_images - 1);
    }

    public void Dispose()
    {
        _sum?.Dispose();
        _squares?.Dispose();
    }
}
