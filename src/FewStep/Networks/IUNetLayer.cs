namespace FewStep.Networks;

/// <summary>A layer of a U-Net, or its end. What it is made of can be seen, for those who write the network down for another
/// program.</summary>
internal interface IUNetLayer
{
    /// <summary>Evaluates the layer.</summary>
    /// <param name="x">Features [B,C,H,W], which a skip connection has joined where the layer's place has one.</param>
    Tensor Forward(ForwardPass pass, Tensor x, UNetState state);
}

/// <summary>What an evaluation hands from layer to layer beside the features.</summary>
internal sealed class UNetState(Tensor embedding, Tensor image)
{
    public Tensor Embedding { get; } = embedding;

    /// <summary>The input on its auxiliary way down.</summary>
    public Tensor Image { get; set; } = image;

    /// <summary>The output on its auxiliary way up; null before it begins.</summary>
    public Tensor? Output { get; set; }
}

/// <summary>The end of a U-Net: a normalisation, SiLU and a convolution.</summary>
internal sealed record NormalisedConvolution(GroupNorm Norm, Conv2d Convolution) : IUNetLayer
{
    public Tensor Forward(ForwardPass pass, Tensor x, UNetState state) => Convolution.Forward(pass, Norm.ForwardSilu(pass, x));
}
