using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FewStep.Networks;

/// <summary>Reads and writes sixteen neighbouring features as float32.</summary>
internal interface IFeatureFormat
{
    /// <summary>Sixteen features from element <paramref name="index"/> of <paramref name="features"/> on.</summary>
    static abstract unsafe Vector512<float> Load(void* features, nint index);

    /// <summary>Writes sixteen features, rounded to nearest even.</summary>
    static abstract unsafe void Store(void* features, nint index, Vector512<float> values);
}

internal readonly struct Float32Features : IFeatureFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> Load(void* features, nint index) => Vector512.Load((float*)features + index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(void* features, nint index, Vector512<float> values) => values.Store((float*)features + index);
}

/// <summary>bfloat16 features: the upper half of a float32.</summary>
internal readonly struct BFloat16Features : IFeatureFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe Vector512<float> Load(void* features, nint index)
    {
        var halves = Vector256.Load((ushort*)features + index);
        var wide = Avx512F.IsSupported ? Avx512F.ConvertToVector512UInt32(halves)
            : Vector512.Create(Vector256.WidenLower(halves), Vector256.WidenUpper(halves));
        return (wide << 16).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(void* features, nint index, Vector512<float> values)
    {
        var bits = values.AsUInt32();
        var rounded = (bits + Vector512.Create(0x7FFFu) + ((bits >> 16) & Vector512<uint>.One)) >> 16;
        var halves = Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(rounded)
            : Vector256.Narrow(rounded.GetLower(), rounded.GetUpper());
        halves.Store((ushort*)features + index);
    }
}
