namespace FewStep.Onnx;

/// <summary>What was written.</summary>
/// <param name="Bytes">Size of the file, or of all networks of a folder.</param>
/// <param name="Evaluations">Evaluations of a network that an image costs.</param>
/// <param name="Error">Largest difference between ONNX Runtime's images and the model's own, over the largest value, when the file was
/// checked.</param>
/// <param name="RoundingError">The same to the model before its weights were rounded to float16; 0 in float32.</param>
public sealed record OnnxExported(long Bytes, int Evaluations, double Error, double RoundingError);
