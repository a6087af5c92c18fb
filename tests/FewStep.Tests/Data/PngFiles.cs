using FewStep.Data;

namespace FewStep.Tests.Data;

/// <summary>Image files as tensors.</summary>
internal static class PngFiles
{
    /// <returns>[1,C,H,W] float32 in [-1, 1]; the caller owns it.</returns>
    public static Tensor Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        var shape = ImageHeader.Read(file, path);
        byte[] pixels = new byte[shape.Dimension], planes = new byte[shape.Dimension];
        ImageDecoder.Decode(file, path, shape, pixels);
        new PixelImage(shape, pixels).ToPlanes(planes, mirror: false);
        using var bytes = tensor(planes, ScalarType.Byte).reshape(shape.Batch(1));
        return PixelScale.FromBytes(bytes);
    }
}
