namespace FewStep.Networks;

/// <summary>What of a model is trained, as one flat vector: all its weights, or adapters of some. The model stays as it is.</summary>
/// <param name="model">Not disposed.</param>
/// <param name="adapters">Null for all weights.</param>
/// <param name="recomputesBlocks">Whether blocks are evaluated again in the backward pass, for less memory.</param>
internal sealed class Trainable(NetworkDenoiser model, LoraAdapters? adapters = null, bool recomputesBlocks = false)
{
    public NetworkDenoiser Model => model;
    public LoraAdapters? Adapters => adapters;

    /// <summary>Length of the vector.</summary>
    public long Count => (adapters?.Layout ?? model.Layout).Count;

    /// <summary>The vector with which the model is what it is.</summary>
    /// <param name="seed">Of what is random in it.</param>
    /// <returns>float32, on the model's device; it may be the model's own, and else belongs to the current dispose scope.</returns>
    public Tensor Begin(long seed) => adapters?.Layout.Initialize(seed).to(model.Device) ?? model.Weights;

    /// <summary>Denoises, differentiably in the vector and in the images.</summary>
    /// <inheritdoc cref="NetworkDenoiser.Denoise(Tensor, Tensor, Tensor, Tensor, Generator)"/>
    /// <param name="trained">Flat float32 vector.</param>
    public Tensor Denoise(Tensor trained, Tensor x, Tensor sigma, Tensor? labels) => model.Denoise(trained, Pass, x, sigma, labels);

    /// <summary>All weights of the network that a vector stands for.</summary>
    /// <returns>float32, flat; belongs to the current dispose scope unless it is <paramref name="trained"/> itself.</returns>
    public Tensor Weights(Tensor trained) => adapters?.Fuse(model.Weights, trained) ?? trained;

    private ForwardPass Pass(Tensor trained)
        => (adapters?.Over(model.OwnPass, trained, model.ComputeType) ?? ForwardPass.Over(model.Layout, trained, model.ComputeType)) with
        { RecomputesBlocks = recomputesBlocks };
}
