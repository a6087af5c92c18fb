namespace FewStep.Metrics;

/// <summary>A convolution of Inception-v3 with its batch normalisation, under the names of the two files that its weights come
/// in.</summary>
internal sealed record InceptionConvolution(
    string Name, string ScriptName, int Inputs, int Outputs, int Height, int Width, int Stride, bool Padded)
{
    public long[] Shape => [Outputs, Inputs, Height, Width];
    public long[] Strides => [Stride, Stride];
    public long[] Padding => Padded ? [Height / 2, Width / 2] : [0, 0];
}
