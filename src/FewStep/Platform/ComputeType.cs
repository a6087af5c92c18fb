using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace FewStep.Platform;

/// <summary>The number format that networks compute in where nothing is said.</summary>
internal static class ComputeType
{
    private static readonly bool ProcessorMultipliesBfloat16 = Avx512F.IsSupported && (HasAvx512Bf16 || HasAmxBf16);

    // Intel's and AMD's manuals, CPUID: leaf 7, subleaf 1, EAX bit 5; leaf 7, subleaf 0, EDX bit 22.
    private static bool HasAvx512Bf16 => (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
    private static bool HasAmxBf16 => (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0;

    /// <summary>Name of a number format in options and files: <c>float32</c>, <c>bfloat16</c>.</summary>
    public static string Name(ScalarType type) => type.ToString().ToLowerInvariant();

    /// <summary>bfloat16 on a GPU, and on a processor with instructions for its products; float32 elsewhere, where bfloat16 is emulated and
    /// several times slower.</summary>
    public static ScalarType Usual(Device device) =>
        device.type == DeviceType.CUDA || ProcessorMultipliesBfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
}
