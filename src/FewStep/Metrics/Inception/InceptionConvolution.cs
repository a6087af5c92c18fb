namespace FewStep.Metrics;

/// <summary>A convolution of Inception-v3 with its batch normalisation, under the names of the two files that its weights come in.</summary>
/// <param name="Name">Name in torchvision and pytorch-fid, e.g. <c>Mixed_5b.branch5x5_1</c>.</param>
/// <param name="ScriptName">Name in NVIDIA's TorchScript file, e.g. <c>layers.mixed.tower.conv</c>.</param>
/// <param name="Inputs">Channels of the input.</param>
/// <param name="Outputs">Channels of the output.</param>
/// <param name="Height">Height of the kernel.</param>
/// <param name="Width">Width of the kernel.</param>
/// <param name="Stride">Stride along both axes.</param>
/// <param name="Padded">Whether zeros keep the size (half the kernel on each side); else there is no padding.</param>
internal sealed record InceptionConvolution(string Name, string ScriptName, int Inputs, int Outputs, int Height, int Width, int Stride, bool Padded)
{
    /// <summary>Shape of the weight.</summary>
    public long[] Shape => [Outputs, Inputs, Height, Width];

    /// <summary>Strides of the convolution.</summary>
    public long[] Strides => [Stride, Stride];

    /// <summary>Zeros on each side.</summary>
    public long[] Padding => Padded ? [Height / 2, Width / 2] : [0, 0];
}
