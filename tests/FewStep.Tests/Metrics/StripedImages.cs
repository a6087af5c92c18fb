using System.Security.Cryptography;
using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Metrics;

/// <summary>Noisy images whose class is the orientation and width of their stripes, so that neither a shift nor a mirror image changes
/// it.</summary>
internal sealed class StripedImages(int count, long seed, ImageShape? shape = null, int classes = 4) : IImageSet
{
    public ImageShape Shape { get; } = shape ?? new ImageShape(1, 8, 8);

    public int Count => count;

    public int Classes => classes;

    public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(BitConverter.GetBytes(seed)));

    public void Read(int index, Span<byte> destination)
    {
        var random = new Random((int)(SeedHash.Derive(seed, index) & int.MaxValue));
        int label = Label(index), phase = random.Next(8), period = label / 2 == 0 ? 2 : 4;
        for (int i = 0; i < destination.Length; i++)
        {
            int pixel = i / Shape.Channels, place = label % 2 == 0 ? pixel % Shape.Width : pixel / Shape.Width;
            destination[i] = (byte)(((place + phase) / (period / 2) % 2 * 150) + random.Next(100));
        }
    }

    public int Label(int index) => index % classes;

    public void Dispose()
    {
        // Nothing is held.
    }
}
