// Made by test/fixtures/make_schema.py of onnx and onnxruntime; schema.ts reads it. A line is an op from an opset
// on: name, opset, inputs, outputs, attributes, type variables. A port is a variable or =letters of its types, with
// ? where it may be absent, * where it repeats with one type, + with several. Attributes have a kind, and ! where
// they must be given.

/** A letter for each code of TensorProto.DataType, from 0 on. */
export const letters = "?fuiUIlLsbhdmMcCBpqrtxyXeYZ";

export const schemas = `Conv 1 T,T,T? T auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I T=fhd
Conv 22 T,T,T? T auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I T=fhdB
AveragePool 7 T T auto_pad:s,count_include_pad:i,kernel_shape:I!,pads:I,strides:I T=fhd
AveragePool 10 T T auto_pad:s,ceil_mode:i,count_include_pad:i,kernel_shape:I!,pads:I,strides:I T=fhd
AveragePool 19 T T auto_pad:s,ceil_mode:i,count_include_pad:i,dilations:I,kernel_shape:I!,pads:I,strides:I T=fhd
AveragePool 22 T T auto_pad:s,ceil_mode:i,count_include_pad:i,dilations:I,kernel_shape:I!,pads:I,strides:I T=fhdB
MaxPool 1 T T auto_pad:s,kernel_shape:I!,pads:I,strides:I T=fhd
MaxPool 8 T T,I? auto_pad:s,kernel_shape:I!,pads:I,storage_order:i,strides:I T=fhd I=L
MaxPool 10 T T,I? auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,pads:I,storage_order:i,strides:I T=fhd I=L
MaxPool 12 T T,I? auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,pads:I,storage_order:i,strides:I T=fuihd I=L
MaxPool 22 T T,I? auto_pad:s,ceil_mode:i,dilations:I,kernel_shape:I!,pads:I,storage_order:i,strides:I T=fuihdB I=L
GlobalAveragePool 1 T T - T=fhd
GlobalAveragePool 22 T T - T=fhdB
Relu 6 T T - T=fhd
Relu 13 T T - T=fhdB
Relu 14 T T - T=fiIlLhdB
Sigmoid 6 T T - T=fhd
Sigmoid 13 T T - T=fhdB
HardSwish 14 T T - T=fhd
HardSwish 22 T T - T=fhdB
Tanh 6 T T - T=fhd
Tanh 13 T T - T=fhdB
LeakyRelu 6 T T alpha:f T=fhd
LeakyRelu 16 T T alpha:f T=fhdB
HardSigmoid 6 T T alpha:f,beta:f T=fhd
HardSigmoid 22 T T alpha:f,beta:f T=fhdB
Erf 9 T T - T=fuiUIlLhdmM
Erf 13 T T - T=fhdB
Sqrt 6 T T - T=fhd
Sqrt 13 T T - T=fhdB
Exp 6 T T - T=fhd
Exp 13 T T - T=fhdB
Log 6 T T - T=fhd
Log 13 T T - T=fhdB
Neg 6 T T - T=fiIlLhd
Neg 13 T T - T=fiIlLhdB
Abs 6 T T - T=fuiUIlLhdmM
Abs 13 T T - T=fuiUIlLhdmMB
Reciprocal 6 T T - T=fhd
Reciprocal 13 T T - T=fhdB
Softplus 1 T T - T=fhd
Softplus 22 T T - T=fhdB
Sign 9 T T - T=fuiUIlLhdmM
Sign 13 T T - T=fuiUIlLhdmMB
Floor 6 T T - T=fhd
Floor 13 T T - T=fhdB
Ceil 6 T T - T=fhd
Ceil 13 T T - T=fhdB
Round 11 T T - T=fhd
Round 22 T T - T=fhdB
Elu 6 T T alpha:f T=fhd
Elu 22 T T alpha:f T=fhdB
Selu 6 T T alpha:f,gamma:f T=fhd
Selu 22 T T alpha:f,gamma:f T=fhdB
Gelu 20 T T approximate:s T=fhdB
Clip 6 T T max:f,min:f T=fhd
Clip 11 T,T?,T? T - T=fhd
Clip 12 T,T?,T? T - T=fuiUIlLhdmM
Clip 13 T,T?,T? T - T=fuiUIlLhdmMB
Add 7 T,T T - T=flLhdmM
Add 13 T,T T - T=flLhdmMB
Add 14 T,T T - T=fuiUIlLhdmMB
Sub 7 T,T T - T=flLhdmM
Sub 13 T,T T - T=flLhdmMB
Sub 14 T,T T - T=fuiUIlLhdmMB
Mul 7 T,T T - T=flLhdmM
Mul 13 T,T T - T=flLhdmMB
Mul 14 T,T T - T=fuiUIlLhdmMB
Div 7 T,T T - T=flLhdmM
Div 13 T,T T - T=flLhdmMB
Div 14 T,T T - T=fuiUIlLhdmMB
Pow 7 T,T T - T=fhd
Pow 12 T,T1 T - T=flLhd T1=fuiUIlLhdmM
Pow 13 T,T1 T - T=flLhdB T1=fuiUIlLhdmM
Pow 15 T,T1 T - T=flLhdB T1=fuiUIlLhdmMB
Sum 6 T* T - T=fhd
Sum 13 T* T - T=fhdB
Mean 6 T* T - T=fhd
Mean 13 T* T - T=fhdB
Min 6 T* T - T=fhd
Min 12 T* T - T=fuiUIlLhdmM
Min 13 T* T - T=fuiUIlLhdmMB
Max 6 T* T - T=fhd
Max 12 T* T - T=fuiUIlLhdmM
Max 13 T* T - T=fuiUIlLhdmMB
Equal 7 T,T T1 - T=lLb T1=b
Equal 11 T,T T1 - T=fuiUIlLbhdmM T1=b
Equal 13 T,T T1 - T=fuiUIlLbhdmMB T1=b
Equal 19 T,T T1 - T=fuiUIlLsbhdmMB T1=b
Less 7 T,T T1 - T=fhd T1=b
Less 9 T,T T1 - T=fuiUIlLhdmM T1=b
Less 13 T,T T1 - T=fuiUIlLhdmMB T1=b
LessOrEqual 12 T,T T1 - T=fuiUIlLhdmM T1=b
LessOrEqual 16 T,T T1 - T=fuiUIlLhdmMB T1=b
Greater 7 T,T T1 - T=fhd T1=b
Greater 9 T,T T1 - T=fuiUIlLhdmM T1=b
Greater 13 T,T T1 - T=fuiUIlLhdmMB T1=b
GreaterOrEqual 12 T,T T1 - T=fuiUIlLhdmM T1=b
GreaterOrEqual 16 T,T T1 - T=fuiUIlLhdmMB T1=b
And 7 T,T T1 - T=b T1=b
Or 7 T,T T1 - T=b T1=b
Xor 7 T,T T1 - T=b T1=b
Not 1 T T - T=b
Where 9 B,T,T T - B=b T=fuiUIlLsbhdmMcC
Where 16 B,T,T T - B=b T=fuiUIlLsbhdmMcCB
Identity 1 T T - T=fuiUIlLsbhdmMcC
Identity 13 T T - T=fuiUIlLsbhdmMcCB
Identity 14 V V - V=fuiUIlLsbhdmMcCB
Identity 19 V V - V=fuiUIlLsbhdmMcCBpqrt
Identity 21 V V - V=fuiUIlLsbhdmMcCBpqrtxy
Identity 23 V V - V=fuiUIlLsbhdmMcCBpqrtxyX
Identity 24 V V - V=fuiUIlLsbhdmMcCBpqrtxyXe
Identity 25 V V - V=fuiUIlLsbhdmMcCBpqrtxyXeYZ
Dropout 7 T T,T? ratio:f T=fhd
Dropout 10 T T,T1? ratio:f T=fhd T1=b
Dropout 12 T,T1?,T2? T,T2? seed:i T=fhd T1=fhd T2=b
Dropout 13 T,T1?,T2? T,T2? seed:i T=fhdB T1=fhd T2=b
Dropout 22 T,T1?,T2? T,T2? seed:i T=fhdBpqrt T1=fhdBpqrt T2=b
Cast 6 T1 T2 to:i! T1=fuiUIlLbhdmM T2=fuiUIlLbhdmM
Cast 9 T1 T2 to:i! T1=fuiUIlLsbhdmM T2=fuiUIlLsbhdmM
Cast 13 T1 T2 to:i! T1=fuiUIlLsbhdmMB T2=fuiUIlLsbhdmMB
Cast 19 T1 T2 saturate:i,to:i! T1=fuiUIlLsbhdmMBpqrt T2=fuiUIlLsbhdmMBpqrt
Cast 21 T1 T2 saturate:i,to:i! T1=fuiUIlLsbhdmMBpqrtxy T2=fuiUIlLsbhdmMBpqrtxy
Cast 23 T1 T2 saturate:i,to:i! T1=fuiUIlLsbhdmMBpqrtxyX T2=fuiUIlLsbhdmMBpqrtxyX
Cast 24 T1 T2 round_mode:s,saturate:i,to:i! T1=fuiUIlLsbhdmMBpqrtxyXe T2=fuiUIlLsbhdmMBpqrtxyXe
Cast 25 T1 T2 round_mode:s,saturate:i,to:i! T1=fuiUIlLsbhdmMBpqrtxyXeYZ T2=fuiUIlLsbhdmMBpqrtxyXeYZ
MatMul 1 T,T T - T=fhd
MatMul 9 T,T T - T=flLhdmM
MatMul 13 T,T T - T=flLhdmMB
Gemm 7 T,T,T T alpha:f,beta:f,transA:i,transB:i T=fhd
Gemm 9 T,T,T T alpha:f,beta:f,transA:i,transB:i T=flLhdmM
Gemm 11 T,T,T? T alpha:f,beta:f,transA:i,transB:i T=flLhdmM
Gemm 13 T,T,T? T alpha:f,beta:f,transA:i,transB:i T=flLhdmMB
BatchNormalization 7 T,T,T,T,T T,T?,T?,T?,T? epsilon:f,momentum:f,spatial:i T=fhd
BatchNormalization 9 T,T,T,T,T T,T?,T?,T?,T? epsilon:f,momentum:f T=fhd
BatchNormalization 14 T,T,T,U,U T,U?,U? epsilon:f,momentum:f,training_mode:i T=fhdB U=fhdB
BatchNormalization 15 T,T1,T1,T2,T2 T,T2?,T2? epsilon:f,momentum:f,training_mode:i T=fhdB T1=fhdB T2=fhdB
LayerNormalization 1 T,T,T? T,U?,U? axis:i,epsilon:f,stash_type:i T=fhdB U=fB
ReduceMean 1 T T axes:I,keepdims:i T=flLhdmM
ReduceMean 13 T T axes:I,keepdims:i T=flLhdmMB
ReduceMean 18 T,=L? T keepdims:i,noop_with_empty_axes:i T=flLhdmMB
ReduceSum 1 T T axes:I,keepdims:i T=flLhdmM
ReduceSum 13 T,=L? T keepdims:i,noop_with_empty_axes:i T=flLhdmMB
ReduceMax 1 T T axes:I,keepdims:i T=flLhdmM
ReduceMax 12 T T axes:I,keepdims:i T=fuilLhdmM
ReduceMax 13 T T axes:I,keepdims:i T=fuilLhdmMB
ReduceMax 18 T,=L? T keepdims:i,noop_with_empty_axes:i T=fuilLhdmMB
ReduceMax 20 T,=L? T keepdims:i,noop_with_empty_axes:i T=fuilLbhdmMB
ReduceMin 1 T T axes:I,keepdims:i T=flLhdmM
ReduceMin 12 T T axes:I,keepdims:i T=fuilLhdmM
ReduceMin 13 T T axes:I,keepdims:i T=fuilLhdmMB
ReduceMin 18 T,=L? T keepdims:i,noop_with_empty_axes:i T=fuilLhdmMB
ReduceMin 20 T,=L? T keepdims:i,noop_with_empty_axes:i T=fuilLbhdmMB
ReduceProd 1 T T axes:I,keepdims:i T=flLhdmM
ReduceProd 13 T T axes:I,keepdims:i T=flLhdmMB
ReduceProd 18 T,=L? T keepdims:i,noop_with_empty_axes:i T=flLhdmMB
ReduceL1 1 T T axes:I,keepdims:i T=flLhdmM
ReduceL1 13 T T axes:I,keepdims:i T=flLhdmMB
ReduceL1 18 T,=L? T keepdims:i,noop_with_empty_axes:i T=flLhdmMB
ReduceL2 1 T T axes:I,keepdims:i T=flLhdmM
ReduceL2 13 T T axes:I,keepdims:i T=flLhdmMB
ReduceL2 18 T,=L? T keepdims:i,noop_with_empty_axes:i T=flLhdmMB
ReduceSumSquare 1 T T axes:I,keepdims:i T=flLhdmM
ReduceSumSquare 13 T T axes:I,keepdims:i T=flLhdmMB
ReduceSumSquare 18 T,=L? T keepdims:i,noop_with_empty_axes:i T=flLhdmMB
ArgMax 1 T =L axis:i,keepdims:i T=fuiUIlLhdmM
ArgMax 12 T =L axis:i,keepdims:i,select_last_index:i T=fuiUIlLhdmM
ArgMax 13 T =L axis:i,keepdims:i,select_last_index:i T=fuiUIlLhdmMB
ArgMin 1 T =L axis:i,keepdims:i T=fuiUIlLhdmM
ArgMin 12 T =L axis:i,keepdims:i,select_last_index:i T=fuiUIlLhdmM
ArgMin 13 T =L axis:i,keepdims:i,select_last_index:i T=fuiUIlLhdmMB
LogSoftmax 1 T T axis:i T=fhd
LogSoftmax 13 T T axis:i T=fhdB
Softmax 1 T T axis:i T=fhd
Softmax 13 T T axis:i T=fhdB
LSTM 7 T,T,T,T?,T1?,T?,T?,T? T?,T?,T? activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,input_forget:i T=fhd T1=l
LSTM 14 T,T,T,T?,T1?,T?,T?,T? T?,T?,T? activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,input_forget:i,layout:i T=fhd T1=l
LSTM 22 T,T,T,T?,T1?,T?,T?,T? T?,T?,T? activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,input_forget:i,layout:i T=fhdB T1=l
GRU 7 T,T,T,T?,T1?,T? T?,T? activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,linear_before_reset:i T=fhd T1=l
GRU 14 T,T,T,T?,T1?,T? T?,T? activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,layout:i,linear_before_reset:i T=fhd T1=l
GRU 22 T,T,T,T?,T1?,T? T?,T? activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,layout:i,linear_before_reset:i T=fhdB T1=l
Flatten 1 T T axis:i T=fhd
Flatten 9 T T axis:i T=fuiUIlLsbhdmMcC
Flatten 13 T T axis:i T=fuiUIlLsbhdmMcCB
Flatten 21 T T axis:i T=fuiUIlLsbhdmMcCBpqrtxy
Flatten 23 T T axis:i T=fuiUIlLsbhdmMcCBpqrtxyX
Flatten 24 T T axis:i T=fuiUIlLsbhdmMcCBpqrtxyXe
Flatten 25 T T axis:i T=fuiUIlLsbhdmMcCBpqrtxyXeYZ
Reshape 5 T,=L T - T=fuiUIlLsbhdmMcC
Reshape 13 T,=L T - T=fuiUIlLsbhdmMcCB
Reshape 14 T,=L T allowzero:i T=fuiUIlLsbhdmMcCB
Reshape 19 T,=L T allowzero:i T=fuiUIlLsbhdmMcCBpqrt
Reshape 21 T,=L T allowzero:i T=fuiUIlLsbhdmMcCBpqrtxy
Reshape 23 T,=L T allowzero:i T=fuiUIlLsbhdmMcCBpqrtxyX
Reshape 24 T,=L T allowzero:i T=fuiUIlLsbhdmMcCBpqrtxyXe
Reshape 25 T,=L T allowzero:i T=fuiUIlLsbhdmMcCBpqrtxyXeYZ
Transpose 1 T T perm:I T=fuiUIlLsbhdmMcC
Transpose 13 T T perm:I T=fuiUIlLsbhdmMcCB
Transpose 21 T T perm:I T=fuiUIlLsbhdmMcCBpqrtxy
Transpose 23 T T perm:I T=fuiUIlLsbhdmMcCBpqrtxyX
Transpose 24 T T perm:I T=fuiUIlLsbhdmMcCBpqrtxyXe
Transpose 25 T T perm:I T=fuiUIlLsbhdmMcCBpqrtxyXeYZ
Squeeze 1 T T axes:I T=fuiUIlLsbhdmMcC
Squeeze 13 T,=L? T - T=fuiUIlLsbhdmMcCB
Squeeze 21 T,=L? T - T=fuiUIlLsbhdmMcCBpqrtxy
Squeeze 23 T,=L? T - T=fuiUIlLsbhdmMcCBpqrtxyX
Squeeze 24 T,=L? T - T=fuiUIlLsbhdmMcCBpqrtxyXe
Squeeze 25 T,=L? T - T=fuiUIlLsbhdmMcCBpqrtxyXeYZ
Unsqueeze 1 T T axes:I! T=fuiUIlLsbhdmMcC
Unsqueeze 13 T,=L T - T=fuiUIlLsbhdmMcCB
Unsqueeze 21 T,=L T - T=fuiUIlLsbhdmMcCBpqrtxy
Unsqueeze 23 T,=L T - T=fuiUIlLsbhdmMcCBpqrtxyX
Unsqueeze 24 T,=L T - T=fuiUIlLsbhdmMcCBpqrtxyXe
Unsqueeze 25 T,=L T - T=fuiUIlLsbhdmMcCBpqrtxyXeYZ
Expand 8 T,=L T - T=fuiUIlLsbhdmMcC
Expand 13 T,=L T - T=fuiUIlLsbhdmMcCB
Concat 4 T* T axis:i! T=fuiUIlLsbhdmMcC
Concat 13 T* T axis:i! T=fuiUIlLsbhdmMcCB
Pad 2 T T mode:s,pads:I!,value:f T=fhd
Pad 11 T,=L,T? T mode:s T=fuiUIlLhdmM
Pad 13 T,=L,T? T mode:s T=fuiUIlLsbhdmMcCB
Pad 18 T,=L,T?,Tind? T mode:s T=fuiUIlLsbhdmMcCB Tind=lL
Pad 21 T,=L,T?,Tind? T mode:s T=fuiUIlLsbhdmMcCBpqrtxy Tind=lL
Pad 23 T,=L,T?,Tind? T mode:s T=fuiUIlLsbhdmMcCBpqrtxyX Tind=lL
Pad 24 T,=L,T?,Tind? T mode:s T=fuiUIlLsbhdmMcCBpqrtxyXe Tind=lL
Pad 25 T,=L,T?,Tind? T mode:s T=fuiUIlLsbhdmMcCBpqrtxyXeYZ Tind=lL
Slice 1 T T axes:I,ends:I!,starts:I! T=fuiUIlLsbhdmMcC
Slice 10 T,Tind,Tind,Tind?,Tind? T - T=fuiUIlLsbhdmMcC Tind=lL
Slice 13 T,Tind,Tind,Tind?,Tind? T - T=fuiUIlLsbhdmMcCB Tind=lL
Split 2 T T* axis:i,split:I T=fuiUIlLsbhdmMcC
Split 13 T,=L? T* axis:i T=fuiUIlLsbhdmMcCB
Split 18 T,=L? T* axis:i,num_outputs:i T=fuiUIlLsbhdmMcCB
If 1 B V+ else_branch:g!,then_branch:g! B=b V=fuiUIlLsbhdmMcC
If 16 B V+ else_branch:g!,then_branch:g! B=b V=fuiUIlLsbhdmMcCB
If 19 B V+ else_branch:g!,then_branch:g! B=b V=fuiUIlLsbhdmMcCBpqrt
If 21 B V+ else_branch:g!,then_branch:g! B=b V=fuiUIlLsbhdmMcCBpqrtxy
If 23 B V+ else_branch:g!,then_branch:g! B=b V=fuiUIlLsbhdmMcCBpqrtxyX
If 24 B V+ else_branch:g!,then_branch:g! B=b V=fuiUIlLsbhdmMcCBpqrtxyXe
If 25 B V+ else_branch:g!,then_branch:g! B=b V=fuiUIlLsbhdmMcCBpqrtxyXeYZ
Constant 1 - T value:t! T=fhd
Constant 9 - T value:t! T=fuiUIlLsbhdmMcC
Constant 11 - T sparse_value:o,value:t T=fuiUIlLsbhdmMcC
Constant 12 - T sparse_value:o,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S T=fuiUIlLsbhdmMcC
Constant 13 - T sparse_value:o,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S T=fuiUIlLsbhdmMcCB
Constant 19 - T sparse_value:o,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S T=fuiUIlLsbhdmMcCBpqrt
Constant 21 - T sparse_value:o,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S T=fuiUIlLsbhdmMcCBpqrtxy
Constant 23 - T sparse_value:o,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S T=fuiUIlLsbhdmMcCBpqrtxyX
Constant 24 - T sparse_value:o,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S T=fuiUIlLsbhdmMcCBpqrtxyXe
Constant 25 - T sparse_value:o,value:t,value_float:f,value_floats:F,value_int:i,value_ints:I,value_string:s,value_strings:S T=fuiUIlLsbhdmMcCBpqrtxyXeYZ
Shape 1 T T1 - T=fuiUIlLsbhdmMcC T1=L
Shape 13 T T1 - T=fuiUIlLsbhdmMcCB T1=L
Shape 15 T T1 end:i,start:i T=fuiUIlLsbhdmMcCB T1=L
Shape 19 T T1 end:i,start:i T=fuiUIlLsbhdmMcCBpqrt T1=L
Shape 21 T T1 end:i,start:i T=fuiUIlLsbhdmMcCBpqrtxy T1=L
Shape 23 T T1 end:i,start:i T=fuiUIlLsbhdmMcCBpqrtxyX T1=L
Shape 24 T T1 end:i,start:i T=fuiUIlLsbhdmMcCBpqrtxyXe T1=L
Shape 25 T T1 end:i,start:i T=fuiUIlLsbhdmMcCBpqrtxyXeYZ T1=L
Size 1 T T1 - T=fuiUIlLsbhdmMcC T1=L
Size 13 T T1 - T=fuiUIlLsbhdmMcCB T1=L
Size 19 T T1 - T=fuiUIlLsbhdmMcCBpqrt T1=L
Size 21 T T1 - T=fuiUIlLsbhdmMcCBpqrtxy T1=L
Size 23 T T1 - T=fuiUIlLsbhdmMcCBpqrtxyX T1=L
Size 24 T T1 - T=fuiUIlLsbhdmMcCBpqrtxyXe T1=L
Size 25 T T1 - T=fuiUIlLsbhdmMcCBpqrtxyXeYZ T1=L
Gather 1 T,Tind T axis:i T=fuiUIlLsbhdmMcC Tind=lL
Gather 13 T,Tind T axis:i T=fuiUIlLsbhdmMcCB Tind=lL
ConstantOfShape 9 T1 T2 value:t T1=L T2=fuiUIlLbhdmM
ConstantOfShape 20 T1 T2 value:t T1=L T2=fuiUIlLbhdmMBpqrt
ConstantOfShape 21 T1 T2 value:t T1=L T2=fuiUIlLbhdmMBpqrtxy
ConstantOfShape 23 T1 T2 value:t T1=L T2=fuiUIlLbhdmMBpqrtxyX
ConstantOfShape 24 T1 T2 value:t T1=L T2=fuiUIlLbhdmMBpqrtxyXe
ConstantOfShape 25 T1 T2 value:t T1=L T2=fuiUIlLbhdmMBpqrtxyXeYZ
Range 11 T,T,T T - T=fIlLd
QuantizeLinear 10 T1,=f,T2? T2 - T1=fl T2=ui
QuantizeLinear 13 T1,=f,T2? T2 axis:i T1=fl T2=ui
QuantizeLinear 19 T1,T1,T2? T2 axis:i,saturate:i T1=flhB T2=uipqrt
QuantizeLinear 21 T1,T1,T2? T2 axis:i,block_size:i,output_dtype:i,saturate:i T1=flhB T2=uiUIpqrtxy
QuantizeLinear 23 T1,T2,T3? T3 axis:i,block_size:i,output_dtype:i,precision:i,saturate:i T1=flhB T2=flhB T3=uiUIpqrtxyX
QuantizeLinear 24 T1,T2,T3? T3 axis:i,block_size:i,output_dtype:i,precision:i,saturate:i T1=flhB T2=flhBe T3=uiUIpqrtxyX
QuantizeLinear 25 T1,T2,T3? T3 axis:i,block_size:i,output_dtype:i,precision:i,saturate:i T1=flhB T2=flhBe T3=uiUIpqrtxyXYZ
DequantizeLinear 10 T,=f,T? =f - T=uil
DequantizeLinear 13 T,=f,T? =f axis:i T=uil
DequantizeLinear 19 T1,T2,T1? T2 axis:i T1=uilpqrt T2=fhB
DequantizeLinear 21 T1,T2,T1? T2 axis:i,block_size:i T1=uiUIlpqrtxy T2=fhB
DequantizeLinear 23 T1,T2,T1? T3 axis:i,block_size:i,output_dtype:i T1=uiUIlpqrtxyX T2=fhB T3=fhB
DequantizeLinear 24 T1,T2,T1? T3 axis:i,block_size:i,output_dtype:i T1=uiUIlpqrtxyX T2=fhBe T3=fhB
DequantizeLinear 25 T1,T2,T1? T3 axis:i,block_size:i,output_dtype:i T1=uiUIlpqrtxyXYZ T2=fhBe T3=fhB
DynamicQuantizeLinear 11 T1 T2,=f,T2 - T1=f T2=u
ConvInteger 10 T1,T2,T1?,T2? T3 auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I T1=ui T2=ui T3=l
MatMulInteger 10 T1,T2,T1?,T2? T3 - T1=ui T2=ui T3=l
QLinearConv 10 T1,=f,T1,T2,=f,T2,=f,T3,T4? T3 auto_pad:s,dilations:I,group:i,kernel_shape:I,pads:I,strides:I T1=ui T2=ui T3=ui T4=l
QLinearMatMul 10 T1,=f,T1,T2,=f,T2,=f,T3 T3 - T1=ui T2=ui T3=ui
QLinearMatMul 21 T1,TS,T1,T2,TS,T2,TS,T3 T3 - T1=uipqrt TS=fhB T2=uipqrt T3=uipqrt
com.microsoft.BiasGelu 1 T,T T - T=fhdB
com.microsoft.DequantizeLinear 1 T1,T2,T1? T2 axis:i T1=uiUIlxy T2=fh
com.microsoft.DynamicQuantizeLSTM 1 T,T2,T2,T?,T1?,T?,T?,T?,T,T2,T,T2 T?,T?,T? activation_alpha:F,activation_beta:F,activations:S,clip:f,direction:s,hidden_size:i,input_forget:i T=f T2=ui T1=l
com.microsoft.DynamicQuantizeMatMul 1 T1,T2,T1,T2?,T1? T1 - T1=f T2=ui
com.microsoft.FastGelu 1 T,T? T - T=fhdB
com.microsoft.Gelu 1 T T - T=fhdB
com.microsoft.MatMulIntegerToFloat 1 T1,T2,T3,T3,T1?,T2?,T3? T3 - T1=ui T2=ui T3=fh
com.microsoft.MatMulNBits 1 T1,T2,T1,T3?,T4?,T1? T1 K:i!,N:i!,accuracy_level:i,bits:i,block_size:i!,weight_prepacked:i T1=fhB T2=u T3=fuhB T4=l
com.microsoft.QGemm 1 TA,T,TA,TB,T,TB,TC?,T?,TYZ? TY alpha:f,transA:i,transB:i TA=ui T=f TB=ui TC=l TYZ=ui TY=fui
com.microsoft.QLinearAdd 1 T,=f,T?,T,=f,T?,=f,T? T - T=ui
com.microsoft.QLinearAveragePool 1 T,=f,T?,=f,T? T auto_pad:s,ceil_mode:i,channels_last:i,count_include_pad:i,kernel_shape:I!,pads:I,strides:I T=ui
com.microsoft.QLinearConcat 1 TF,T8,TV+ T8 axis:i! TF=f T8=ui TV=fui
com.microsoft.QLinearGlobalAveragePool 1 T,=f,T,=f,T T channels_last:i T=ui
com.microsoft.QLinearLeakyRelu 1 T,=f,T?,=f,T? T alpha:f T=ui
com.microsoft.QLinearMul 1 T,=f,T?,T,=f,T?,=f,T? T - T=ui
com.microsoft.QLinearReduceMean 1 T,=f,T?,=f,T? T axes:I!,keepdims:i! T=ui
com.microsoft.QLinearSigmoid 1 T,=f,T?,=f,T? T - T=ui
com.microsoft.QLinearSoftmax 1 T,=f,T?,=f,T T axis:i,opset:i! T=ui
com.microsoft.QuantizeLinear 1 T1,T1,T2? T2 axis:i T1=fh T2=uiUIxy`;
