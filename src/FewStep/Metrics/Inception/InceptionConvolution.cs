namespace FewStep.Metrics;

/// <summary>A convolution of Inception-v3 with its batch normalisation, under its names in the two files of weights.</summary>
internal sealed record InceptionConvolution(
    string Name, string ScriptName, int Inputs, int Outputs, int Height, int Width, int Stride, bool Padded)
{
    public long[] Shape => [Outputs, Inputs, Height, Width];
    public long[] Strides => [Stride, Stride];
    public long[] Padding => Padded ? [Height / 2, Width / 2] : [0, 0];
}
