using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace FewStep.Platform;

/// <summary>The number format that networks compute in where nothing is said.</summary>
internal static class ComputeType
{
    private static readonly bool ProcessorMultipliesBfloat16 =
        Avx512F.IsSupported && (HasAmxBf16 || (HasAvx512Bf16 && !IsIntel));

    // Intel's and AMD's manuals, CPUID: leaf 7, subleaf 1, EAX bit 5; leaf 7, subleaf 0, EDX bit 22; leaf 0, EBX. Intel's AVX-512 has no
    // more products of bfloat16 a cycle than of float32, and numbers are converted besides: without AMX, which virtual machines may hide,
    // bfloat16 took 1.6 times as long as float32.
    private static bool HasAvx512Bf16 => (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
    private static bool HasAmxBf16 => (X86Base.CpuId(7, 0).Edx & (1 << 22)) != 0;
    private static bool IsIntel => X86Base.CpuId(0, 0).Ebx == 0x756e6547; // "Genu"

    /// <summary>Name of a number format in options and files: <c>float32</c>, <c>bfloat16</c>.</summary>
    public static string Name(ScalarType type) => type.ToString().ToLowerInvariant();

    /// <summary>bfloat16 on a GPU, and on a processor that multiplies it faster than float32; float32 elsewhere, where bfloat16 is 1.6 to 6
    /// times slower.</summary>
    public static ScalarType Usual(Device device) =>
        device.type == DeviceType.CUDA || ProcessorMultipliesBfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
}
